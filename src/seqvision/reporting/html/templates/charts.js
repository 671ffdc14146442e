// Draws the charts of a page from the JSON beside each: lines, bands, marks; zoom, cursor, legend. No library, no network.
(() => {
  "use strict";
  const DASHES = ["", "7 3", "2 3", "9 3 2 3", "12 3 2 3 2 3", "1 2"];
  const UNITS = [ // name, milliseconds, how much of an ISO date its ticks show
    ["minute", 6e4, [1, 5, 15, 30]], ["hour", 36e5, [1, 3, 6, 12]], ["day", 864e5, [1, 2, 7, 14]],
    ["month", 2.63e9, [1, 3, 6]], ["year", 3.156e10, [1, 2, 5, 10, 20, 50, 100, 200, 500]]];

  const finite = (value) => typeof value === "number" && Number.isFinite(value);
  const number = (value) => {
    if (!finite(value)) return "–";
    const size = Math.abs(value);
    if (size && (size >= 1e7 || size < 1e-4)) return value.toExponential(3).replace("e+", "e");
    return value.toLocaleString("en-US", { maximumSignificantDigits: 6 }).replace("-", "−");
  };
  const iso = (time) => {
    const text = new Date(time).toISOString();
    return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text.slice(0, 16).replace("T", " ");
  };

  function roundTicks(low, high, most) {
    const rough = (high - low) / Math.max(most, 1) || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough * 0.999);
    const ticks = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) ticks.push(Number((k * step).toPrecision(12)));
    return ticks;
  }

  function logTicks(low, high) {
    const ticks = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
      for (const f of high / low > 300 ? [1] : high / low > 8 ? [1, 3] : [1, 2, 3, 5, 7]) ticks.push(Number((f * 10 ** e).toPrecision(3)));
    const within = ticks.filter((t) => t >= low && t <= high);
    return within.length > 1 ? within : roundTicks(low, high, 4).filter((t) => t > 0);
  }

  function dateTicks(low, high, most) {
    for (const [unit, length, steps] of UNITS) for (const step of steps) {
      if ((high - low) / (length * step) > most) continue;
      const ticks = [], start = new Date(low);
      if (unit === "year" || unit === "month") {
        let year = start.getUTCFullYear(), month = unit === "month" ? start.getUTCMonth() : 0;
        if (unit === "year") year -= year % step; else month -= month % step;
        for (let time = Date.UTC(year, month); time <= high; time = Date.UTC(year, month)) {
          if (time >= low) ticks.push(time);
          if (unit === "year") year += step; else month += step;
        }
      } else {
        const width = length * step;
        for (let time = Math.ceil(low / width) * width; time <= high; time += width) ticks.push(time);
      }
      const part = { year: [0, 4], month: [0, 7], day: [0, 10], hour: [5, 16], minute: [11, 16] }[unit];
      return ticks.map((time) => [time, new Date(time).toISOString().slice(...part).replace("T", " ")]);
    }
    return [[low, iso(low)], [high, iso(high)]];
  }

  class Chart {
    constructor(figure) {
      this.figure = figure;
      this.spec = JSON.parse(figure.querySelector("script").textContent);
      this.svg = figure.querySelector("svg");
      this.plot = figure.querySelector(".plot");
      this.tip = figure.querySelector(".tip");
      this.said = figure.querySelector(".said");
      this.legend = figure.querySelector(".legend");
      this.note = figure.querySelector(".leaves");
      this.hidden = new Set(this.spec.series.flatMap((s, n) => (s.shown ? [] : [n])));
      this.at = -1;
      const x = this.spec.x, edge = this.spec.kind === "name" ? 0.5 : x.length < 2 ? 1 : 0;
      this.whole = [x[0] - edge, x[x.length - 1] + edge];
      this.view = [...this.whole];
      this.buildLegend();
      this.listen();
      this.draw();
      new ResizeObserver(() => { if (this.plot.clientWidth !== this.width) this.draw(); }).observe(this.plot);
    }

    node(name, attributes, parent = this.svg) {
      const made = document.createElementNS(this.svg.namespaceURI, name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      parent.append(made);
      return made;
    }

    color(series) { return typeof series.color === "number" ? `var(--c${series.color % 6})` : `var(--${series.color})`; }

    buildLegend() {
      if (!this.spec.legend) return;
      const entries = this.spec.series.map((series, n) => [series, [n]]).filter(([s]) => !s.band);
      const truth = entries.findIndex(([s]) => s.color === "truth");
      if (truth > 0) entries.unshift(...entries.splice(truth, 1));
      for (const group of new Set(this.spec.series.filter((s) => s.band).map((s) => s.group))) {
        const all = this.spec.series.flatMap((s, n) => (s.band && s.group === group ? [n] : []));
        entries.push([this.spec.series[all[0]], all]);
      }
      for (const [series, places] of entries) {
        const button = document.createElement("button");
        button.type = "button";
        button.setAttribute("aria-pressed", String(series.shown));
        const swatch = document.createElementNS(this.svg.namespaceURI, "svg");
        swatch.setAttribute("aria-hidden", "true");
        swatch.setAttribute("viewBox", "0 0 24 10");
        if (series.band) this.node("rect", { x: 0, y: 1, width: 24, height: 8, style: `fill:${this.color(series)};opacity:.35` }, swatch);
        else if (series.points) this.node("circle", { cx: 12, cy: 5, r: 4, style: `fill:${this.color(series)}` }, swatch);
        else this.node("line", { x1: 0, x2: 24, y1: 5, y2: 5, style: `stroke:${this.color(series)};stroke-width:2.5`, "stroke-dasharray": DASHES[(series.dash || 0) % DASHES.length] }, swatch);
        button.append(swatch, series.band ? series.group : series.name);
        button.addEventListener("click", () => {
          const off = this.hidden.has(places[0]);
          for (const n of places) if (off) this.hidden.delete(n); else this.hidden.add(n);
          button.setAttribute("aria-pressed", String(off));
          this.draw();
        });
        this.legend.append(button);
      }
    }

    values(series, k) { return "y" in series ? [series.y[k]] : [series.lo[k], series.hi[k]]; }

    within() { // the rows in view, and one beyond on each side
      const x = this.spec.x, [low, high] = this.view;
      let first = x.findIndex((v) => v >= low), last = x.length - 1;
      while (last > 0 && x[last] > high) last--;
      return [Math.max(0, (first < 0 ? last : first)), last];
    }

    range(chosen, [first, last]) {
      let low = Infinity, high = -Infinity;
      for (const series of chosen) for (let k = first; k <= last; k++) for (const v of this.values(series, k))
        if (finite(v)) { if (v < low) low = v; if (v > high) high = v; }
      return [low, high];
    }

    heights(rows) {
      const shown = this.spec.series.filter((_, n) => !this.hidden.has(n));
      let [low, high] = this.range(shown, rows);
      const [from, to] = this.range(shown.filter((s) => s.anchor), rows);
      if (from <= to && from < to) { low = Math.max(low, from - (to - from)); high = Math.min(high, to + (to - from)); }
      if (!(low <= high)) [low, high] = this.spec.log ? [0.1, 1] : [0, 1];
      if (this.spec.log) { const pad = Math.max((high / low) ** 0.05, 1.05); return [low / pad, high * pad]; }
      const pad = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
      return [low - pad, high + pad];
    }

    draw() {
      const { spec, svg } = this;
      const W = (this.width = this.plot.clientWidth || 640), H = Math.round(Math.min(340, Math.max(230, W * 0.48)));
      const rows = this.within(), [low, high] = this.heights(rows), [from, to] = this.view;
      const level = spec.log ? Math.log10 : (v) => v;
      const ticks = spec.log ? logTicks(low, high) : roundTicks(low, high, H / 50);
      const left = 14 + 7 * Math.max(3, ...ticks.map((t) => number(t).length)) + (spec.yLabel ? 14 : 0);
      const box = (this.box = { left, right: W - 12, top: 10, bottom: H - (spec.xLabel ? 40 : 26) });
      this.px = (v) => box.left + ((v - from) / (to - from || 1)) * (box.right - box.left);
      this.py = (v) => box.bottom - ((level(v) - level(low)) / (level(high) - level(low))) * (box.bottom - box.top);
      svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
      svg.replaceChildren();
      const clip = `${this.figure.id}-clip`;
      this.node("rect", { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top }, this.node("clipPath", { id: clip }));
      for (const tick of ticks) {
        this.node("line", { class: "grid", x1: box.left, x2: box.right, y1: this.py(tick), y2: this.py(tick) });
        this.node("text", { x: box.left - 6, y: this.py(tick) + 4, "text-anchor": "end" }).textContent = number(tick);
      }
      this.xTicks(W).forEach(([place, text]) => {
        const x = this.px(place);
        this.node("line", { class: "grid", x1: x, x2: x, y1: box.top, y2: box.bottom });
        const half = text.length * 3.3; // a label stays within the picture
        this.node("text", { x: Math.min(Math.max(x, half), W - half), y: box.bottom + 16, "text-anchor": "middle" }).textContent = text;
      });
      if (spec.xLabel) this.node("text", { x: (box.left + box.right) / 2, y: H - 6, "text-anchor": "middle" }).textContent = spec.xLabel;
      if (spec.yLabel) this.node("text", { transform: `translate(12 ${(box.top + box.bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }).textContent = spec.yLabel;
      const inner = this.node("g", { "clip-path": `url(#${clip})` });
      const first = Math.max(0, rows[0] - 1), last = Math.min(spec.x.length - 1, rows[1] + 1), leaving = [];
      const depth = (s) => (s.band ? 0 : s.color === "truth" ? 1 : s.color === "naive" ? 2 : 3); // what is judged lies on top
      const order = spec.series.map((series, n) => [series, n]).sort(([a], [b]) => depth(a) - depth(b));
      for (const [series, n] of order) {
        if (this.hidden.has(n)) continue;
        if (series.band) this.node("path", { d: this.area(series, first, last), style: `fill:${this.color(series)}`, class: "band" }, inner);
        else this.line(series, first, last, inner);
        const [least, most] = this.range([series], rows);
        if (least < low) leaving.push(`${series.name} down to ${number(least)}`);
        if (most > high) leaving.push(`${series.name} up to ${number(most)}`);
      }
      this.note.textContent = leaving.length ? `Leaves the picture: ${leaving.join(", ")}.` : "";
      this.cursor = this.node("g", { class: "cursor" });
      this.chosen = this.node("rect", { class: "chosen", y: box.top, height: box.bottom - box.top, width: 0, x: 0 });
      this.figure.querySelector("[data-do=reset]").disabled = from === this.whole[0] && to === this.whole[1];
      this.point(this.at < rows[0] || this.at > rows[1] ? -1 : this.at, false);
    }

    xTicks(W) {
      const { spec, view: [from, to] } = this, most = Math.max(2, Math.floor(W / 105));
      if (spec.kind === "name") {
        const every = Math.ceil(spec.names.length / (W / 80)), room = Math.max(6, Math.floor((W / spec.names.length) * every / 7));
        return spec.names.map((name, k) => [k, name.length > room ? name.slice(0, room - 1) + "…" : name]).filter(([k]) => k % every === 0 && k >= from && k <= to);
      }
      if (spec.kind === "date") return dateTicks(from, to, most);
      const whole = spec.x.every(Number.isInteger);
      return roundTicks(from, to, most).filter((t) => !whole || Number.isInteger(t)).map((t) => [t, number(t)]);
    }

    line(series, first, last, parent) {
      const { x } = this.spec, alone = [], dots = series.points;
      let d = "", open = false;
      for (let k = first; k <= last; k++) {
        const values = this.values(series, k);
        if (!values.every(finite)) { open = false; continue; }
        const before = k > 0 && this.values(series, k - 1).every(finite), after = k < x.length - 1 && this.values(series, k + 1).every(finite);
        if (dots || (!before && !after)) alone.push([this.px(x[k]), this.py(values[0])]);
        for (const v of values) { d += `${open ? "L" : "M"}${this.px(x[k]).toFixed(1)} ${this.py(v).toFixed(1)}`; open = true; }
      }
      const color = this.color(series);
      if (!dots) this.node("path", { d, class: series.anchor ? "line main" : "line", style: `stroke:${color}`, "stroke-dasharray": DASHES[(series.dash || 0) % DASHES.length] }, parent);
      for (const [cx, cy] of alone) this.node("circle", { cx, cy, r: dots ? 4 : 3, class: "dot", style: `fill:${color}` }, parent);
    }

    area(series, first, last) {
      let d = "", ahead = "", back = "";
      const close = () => { if (ahead) d += `M${ahead.slice(1)}${back}Z`; ahead = back = ""; };
      for (let k = first; k <= last; k++) {
        if (!finite(series.lo[k]) || !finite(series.hi[k])) { close(); continue; }
        const x = this.px(this.spec.x[k]).toFixed(1);
        ahead += `L${x} ${this.py(series.hi[k]).toFixed(1)}`;
        back = `L${x} ${this.py(series.lo[k]).toFixed(1)}${back}`;
      }
      close();
      return d;
    }

    point(k, speak) { // the cursor stands at row k, or nowhere
      this.at = k;
      this.cursor.replaceChildren();
      this.tip.hidden = k < 0;
      if (k < 0) { this.said.textContent = ""; return; }
      const { spec, box } = this, x = this.px(spec.x[k]);
      this.node("line", { x1: x, x2: x, y1: box.top, y2: box.bottom }, this.cursor);
      const where = spec.kind === "date" ? iso(spec.x[k]) : spec.kind === "name" ? spec.names[k] : `${spec.xLabel} ${number(spec.x[k])}`;
      const next = spec.group > 1 && k + 1 < spec.x.length ? spec.x[k + 1] : null;
      const heading = next === null ? where : `${where} to before ${spec.kind === "date" ? iso(next) : number(next)}`;
      const lines = [];
      spec.series.forEach((series, n) => {
        const values = this.values(series, k);
        if (this.hidden.has(n) || !values.every(finite)) return;
        lines.push([series, values[0] === values[values.length - 1] ? number(values[0]) : values.map(number).join(" to ")]);
        if (!series.band) for (const v of new Set(values)) {
          const y = this.py(v);
          if (y >= box.top && y <= box.bottom) this.node("circle", { cx: x, cy: y, r: 3.5, style: `fill:${this.color(series)}` }, this.cursor);
        }
      });
      const title = document.createElement("b");
      title.textContent = heading;
      const items = lines.slice(0, 14).map(([series, text]) => {
        const row = document.createElement("div"), mark = document.createElement("i"), name = document.createElement("span"), value = document.createElement("span");
        mark.style.background = this.color(series);
        name.textContent = series.name;
        value.textContent = text;
        row.append(mark, name, value);
        return row;
      });
      if (lines.length > 14) { const more = document.createElement("div"); more.textContent = `and ${lines.length - 14} more`; items.push(more); }
      this.tip.replaceChildren(title, ...items);
      const wide = this.tip.offsetWidth, scale = this.plot.clientWidth / this.width;
      const place = x * scale + 14 + wide > this.plot.clientWidth ? x * scale - wide - 14 : x * scale + 14;
      this.tip.style.left = `${Math.max(0, Math.min(place, this.plot.clientWidth - wide))}px`;
      if (speak) this.said.textContent = `${heading}: ` + lines.map(([series, text]) => `${series.name} ${text}`).join(", ");
    }

    nearest(place) {
      const x = this.spec.x, [first, last] = this.within();
      let best = first;
      for (let k = first; k <= last; k++) if (Math.abs(x[k] - place) < Math.abs(x[best] - place)) best = k;
      return best;
    }

    zoom(from, to) {
      const x = this.spec.x, least = x.length < 3 ? 0 : ((x[x.length - 1] - x[0]) / (x.length - 1)) * 2;
      if (to - from < least) { const middle = (from + to) / 2; from = middle - least / 2; to = middle + least / 2; }
      this.view = [Math.max(this.whole[0], from), Math.min(this.whole[1], to)];
      this.draw();
    }

    scale(factor) {
      const [from, to] = this.view, middle = this.at < 0 ? (from + to) / 2 : this.spec.x[this.at];
      const width = Math.min((to - from) * factor, this.whole[1] - this.whole[0]);
      const start = Math.min(Math.max(this.whole[0], middle - width / 2), this.whole[1] - width);
      this.zoom(start, start + width);
    }

    step(by) {
      const last = this.spec.x.length - 1, k = this.at < 0 ? this.within()[by < 0 ? 1 : 0] : Math.min(last, Math.max(0, this.at + by));
      const [from, to] = this.view, x = this.spec.x[k];
      if (x < from || x > to) { const shift = x < from ? x - from : x - to; this.zoom(from + shift, to + shift); }
      this.point(k, true);
    }

    listen() {
      const { svg } = this;
      const place = (event) => {
        const area = svg.getBoundingClientRect(), px = ((event.clientX - area.left) * this.width) / area.width;
        const { left, right } = this.box, share = Math.min(1, Math.max(0, (px - left) / (right - left)));
        return this.view[0] + share * (this.view[1] - this.view[0]);
      };
      let start = null;
      svg.addEventListener("pointerdown", (event) => { if (event.button === 0) { start = place(event); svg.setPointerCapture(event.pointerId); } });
      svg.addEventListener("pointermove", (event) => {
        const now = place(event);
        this.point(this.nearest(now), false);
        if (start === null) return;
        const [a, b] = [this.px(Math.min(start, now)), this.px(Math.max(start, now))];
        this.chosen.setAttribute("x", a);
        this.chosen.setAttribute("width", b - a);
      });
      svg.addEventListener("pointerup", (event) => {
        const now = place(event), begin = start;
        start = null;
        this.chosen.setAttribute("width", 0);
        if (begin === null) return;
        if (Math.abs(this.px(now) - this.px(begin)) > 8) this.zoom(Math.min(begin, now), Math.max(begin, now));
        else this.point(this.nearest(now), false);
      });
      svg.addEventListener("pointercancel", () => { start = null; this.chosen.setAttribute("width", 0); });
      svg.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse" && start === null) this.point(-1, false); });
      svg.addEventListener("dblclick", () => this.zoom(...this.whole));
      svg.addEventListener("blur", () => this.point(-1, false));
      const acts = { in: () => this.scale(0.5), out: () => this.scale(2), reset: () => this.zoom(...this.whole) };
      for (const button of this.figure.querySelectorAll("[data-do]")) button.addEventListener("click", acts[button.dataset.do]);
      const keys = {
        ArrowLeft: () => this.step(-1), ArrowRight: () => this.step(1), Home: () => { this.at = 0; this.step(0); },
        End: () => { this.at = this.spec.x.length - 1; this.step(0); }, "+": acts.in, "=": acts.in, "-": acts.out, 0: acts.reset, Escape: acts.reset };
      svg.addEventListener("keydown", (event) => {
        if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        keys[event.key]();
      });
    }
  }

  const charts = [...document.querySelectorAll("figure.chart")].map((figure) => new Chart(figure));
  const redraw = () => charts.forEach((chart) => { chart.at = -1; chart.draw(); });
  addEventListener("beforeprint", () => { document.querySelectorAll("details").forEach((d) => { d.dataset.was = d.open; d.open = true; }); redraw(); });
  addEventListener("afterprint", () => { document.querySelectorAll("details").forEach((d) => { d.open = d.dataset.was === "true"; }); redraw(); });
  document.querySelectorAll("details").forEach((d) => d.addEventListener("toggle", redraw));
})();
