"use strict";
(function () {
  const { data, say, redraws, redraw } = window.brief;
  const status = document.getElementById("status");
  const years = data.curves.years.length;
  let last = null;

  function tell() {
    if (last === null || !last.scenario) {
      status.textContent = say([status.dataset.zh, status.dataset.en]);
      return;
    }
    const names = data.map.scenarios.find((s) => s[0] === last.scenario);
    const at = (last.day / 365).toFixed(1);
    status.textContent = say([
      `第 ${last.run} 次运行，共 ${last.runs} 次（第 ${last.replication} 次重复，共 ${last.replications} 次）：${names[1]}，第 ${at} 年`,
      `run ${last.run} of ${last.runs} (replication ${last.replication} of ${last.replications}): ${names[2]}, year ${at}`,
    ]);
  }

  const filled = (row) => row.concat(Array(years).fill(null)).slice(0, years);

  function show(now) {
    last = now;
    document.getElementById("progress").value = now.share;
    document.getElementById("percent").textContent = `${Math.floor(now.share * 100)} %`;
    const nothing = filled([]);
    data.curves.bands = {};
    for (const outcome in now.curves) {
      data.curves.bands[outcome] = {};
      for (const scenario in now.curves[outcome]) {
        data.curves.bands[outcome][scenario] = [filled(now.curves[outcome][scenario]), nothing, nothing];
      }
    }
    data.map.values = { satisfaction: now.map };
    redraw();
    if (now.state !== "running") {
      source.close();
      location.reload();
    }
  }

  redraws.push(tell);
  tell();
  const source = new EventSource(`${location.pathname}/events`);
  source.onmessage = (event) => show(JSON.parse(event.data));
})();
