// Saves a chart of the page as a picture. The plotly that drew it makes the file: its own camera button does, told
// which format and size. So no second plotly is loaded, nothing leaves the browser, and no server needs a browser.

const PRINT_WIDTH = 605; // px: 16 cm at the 96 px to the inch of SVG
const PRINT_HEIGHTS = [378, 907]; // px: from 10 to 24 cm, so that it fits on a page
const PRINT_SCALE = 300 / 96; // 300 dots to the inch
const PAGE_SCALE = 2; // as sharp as good screens
const PAPER = "#ffffff";
const INK = "#1b2730";
const RULE = "#d9dee2"; // as pale as the grid of a light page

export default function ({ parentElement, data }) {
  const status = parentElement.querySelector("p");
  for (const button of parentElement.querySelectorAll("button")) {
    button.onclick = () => {
      const { size, format } = button.dataset;
      const chart = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`);
      status.textContent = save(chart, data, size === "print", format) ? "" : "The chart is not drawn yet. Try again.";
    };
  }
}

function save(chart, data, isPrint, format) {
  const camera = chart?.querySelector('.modebar-btn[data-title^="Download plot"]');
  if (!camera) return false;
  const { width, height } = chart._fullLayout;
  const printHeight = Math.min(Math.max(height, PRINT_HEIGHTS[0]), PRINT_HEIGHTS[1]);
  const size = isPrint ? { width: PRINT_WIDTH, height: printHeight } : { width, height };
  const scale = format === "svg" ? 1 : isPrint ? PRINT_SCALE : PAGE_SCALE;
  // All three are read while the click lasts: the chart itself is not drawn anew.
  const before = { data: chart.data, layout: chart.layout, options: chart._context.toImageButtonOptions };
  chart._context.toImageButtonOptions = { format, scale, filename: data.file, ...size };
  chart.layout = isPrint ? onPaper(repainted(chart.layout, data.repaint)) : onPage(chart.layout);
  if (isPrint) chart.data = repainted(chart.data, data.repaint);
  try {
    camera.click();
  } finally {
    chart.data = before.data;
    chart.layout = before.layout;
    chart._context.toImageButtonOptions = before.options;
  }
  return true;
}

function onPage(layout) {
  const app = document.querySelector('[data-testid="stApp"]');
  return { ...layout, paper_bgcolor: getComputedStyle(app).backgroundColor };
}

function onPaper(layout) {
  const template = layout.template ?? {};
  const theme = { ...template, layout: inked(template.layout ?? {}, template.layout?.xaxis?.gridcolor) };
  return { ...inked(layout), template: theme, paper_bgcolor: PAPER, plot_bgcolor: PAPER };
}

// The page's theme has set a colour on each font and line; on paper all are of one ink.
function inked(value, gridColour, name = "") {
  if (value === gridColour && /(grid|tick|line|border)color$/.test(name)) return RULE;
  if (Array.isArray(value)) return value.map((one) => inked(one, gridColour));
  if (!isPlain(value)) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, inked(one, gridColour, key)]);
  return { ...Object.fromEntries(entries), ...(/font$/.test(name) && "color" in value ? { color: INK } : {}) };
}

// Colours that the figure took for a dark page, in those of a light one.
function repainted(value, colours) {
  if (typeof value === "string") return colours[value] ?? value;
  if (Array.isArray(value)) return value.map((one) => repainted(one, colours));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, repainted(one, colours)]));
}

function isPlain(value) {
  return value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;
}
