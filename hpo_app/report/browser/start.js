// What happens once the page is there; a comparison of runs has neither table nor charts.

if (table) startTable();
if (study) startCharts();
startCopying();
