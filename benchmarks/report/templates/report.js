"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const narrow = window.matchMedia("(max-width: 720px)");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  const colour = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  function painted(trace, labelled) {
    const own = colour(trace.meta.colour);
    const open = trace.marker && String(trace.marker.symbol).endsWith("-open");
    const halo = `0 0 3px ${colour("page")}`;
    const paint = { textfont: { color: own, size: 13, shadow: `${halo}, ${halo}, ${halo}` } };
    if (trace.marker) {
      paint.marker = { ...trace.marker, color: own, line: { color: own, width: open ? 2 : 0 } };
    }
    if (trace.line) paint.line = { ...trace.line, color: own };
    if (trace.error_y) paint.error_y = { ...trace.error_y, color: own };
    if (!labelled) paint.mode = trace.mode.replace("+text", "");
    return { ...trace, ...paint };
  }

  // A label at 1, 2 and 5 of each decade, or at each decade where those would collide.
  function logTicks(traces) {
    const values = traces.flatMap((trace) => trace.x).map(Math.log10);
    const decades = Math.max(...values) - Math.min(...values);
    return { dtick: decades > (narrow.matches ? 2 : 5) ? 1 : "D2", tickformat: "~g" };
  }

  function draw(element) {
    const figure = figures[element.dataset.figure];
    const labelled = !narrow.matches && !figure.is_crowded;
    const pointsNamed = figure.traces.some((trace) => trace.mode.includes("text"));
    const inLegend = pointsNamed && !labelled;
    // A legend of one column needs room of its own, or Plotly makes it scroll.
    const room = narrow.matches ? 340 + 20 * figure.traces.length : 440 + 6 * figure.traces.length;
    element.style.height = inLegend ? `${room}px` : "";
    const axis = {
      automargin: true,
      gridcolor: colour("grid"),
      linecolor: colour("rule"),
      zeroline: false,
      tickfont: { size: 12 },
    };
    const title = (given) => ({ ...given, font: { size: 13, color: colour("soft") } });
    const layout = {
      ...figure.layout,
      xaxis: {
        ...axis, ...figure.layout.xaxis, title: title(figure.layout.xaxis.title),
        ...(figure.layout.xaxis.type === "log" ? logTicks(figure.traces) : {}),
      },
      yaxis: { ...axis, ...figure.layout.yaxis, title: title(figure.layout.yaxis.title) },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, color: colour("soft"), size: 13 },
      hoverlabel: {
        bgcolor: colour("surface"),
        bordercolor: colour("rule"),
        font: { color: colour("ink"), size: 13 },
      },
      margin: { l: 12, r: pointsNamed && !inLegend ? 60 : 12, t: 14, b: 12 },
      showlegend: (inLegend || !pointsNamed) && !figure.shares_legend,
      legend: { orientation: "h", x: 0, y: -0.3, yanchor: "top", font: { size: 12 } },
    };
    return Plotly.react(
      element,
      figure.traces.map((trace) => painted(trace, labelled)),
      layout,
      { responsive: true, displayModeBar: false },
    );
  }

  function sortBy(heading) {
    const headings = [...heading.parentElement.children];
    const body = heading.closest("table").tBodies[0];
    const key = (row) => row.children[headings.indexOf(heading)].dataset.key;
    const named = headings.indexOf(heading) === 0;
    const falling = heading.getAttribute("aria-sort") === "ascending";
    const order = (one, other) =>
      named ? key(one).localeCompare(key(other)) : Number(key(one)) - Number(key(other));
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
    body.append(...[...body.rows].sort((one, other) => (falling ? -1 : 1) * order(one, other)));
  }
  document.querySelectorAll("table.sortable thead button").forEach((button) => {
    button.addEventListener("click", () => sortBy(button.closest("th")));
  });

  const elements = [...document.querySelectorAll("[data-figure]")];
  const drawAll = () => elements.forEach(draw);
  drawAll();
  narrow.addEventListener("change", drawAll);
  dark.addEventListener("change", drawAll);
})();
