// Weights of Sphinx's search: pages that explain a word come before functions that bear its name.
var Scorer = {
  objNameMatch: 4, objPartialMatch: 2, objPrio: { 0: 1, 1: 0, 2: -1 }, objPrioDefault: 0,
  title: 15, partialTitle: 7, term: 5, partialTerm: 2,
};
