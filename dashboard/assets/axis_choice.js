// Tells the page which ranges a person has drawn on the axes of parallel coordinates, and in which order the axes are.
// The chart itself has no event for it that reaches the page; it keeps both in its own data, which is looked at
// whenever a pointer is let go.

const SETTLES_MS = 200; // the chart takes up a range just after the pointer is let go

export default function ({ data, setStateValue }) {
  let told = JSON.stringify(data.told);
  let timer;
  const look = () => {
    const chart = document.querySelector(`.st-key-${data.chart} .js-plotly-plot`);
    const axes = chart?.data?.[0]?.dimensions;
    if (!axes) return;
    const ranges = {};
    for (const { name, constraintrange: chosen } of axes) {
      if (chosen?.length) ranges[name] = Array.isArray(chosen[0]) ? chosen : [chosen];
    }
    const now = { ranges, order: axes.map((axis) => axis.name) };
    const text = JSON.stringify(now);
    if (text !== told) {
      told = text;
      setStateValue("axes", now);
    }
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(look, SETTLES_MS);
  };
  document.addEventListener("pointerup", later);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("pointerup", later);
  };
}
