"""Pages are light: everything that the browser really asks for, compressed."""

import gzip

import pytest

LIMIT = 500_000  # bytes


@pytest.mark.parametrize("name", ["book/index.html", "chapters/02_attention/lesson.html"])
def test_page_is_light(address, desk, name, capsys):
    sizes = {}
    desk.on("response", lambda response: sizes.update({response.url: len(gzip.compress(response.body()))}))
    desk.goto(address + name, wait_until="networkidle")
    total = sum(sizes.values())
    with capsys.disabled():
        print(f"\n{name}: {total / 1000:.0f} kB compressed in {len(sizes)} files")
    assert address + name in sizes
    assert total <= LIMIT, sizes
