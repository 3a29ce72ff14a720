//! Times the web package beside what one would do without it; writes docs/web-benchmarks.md and its plot.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use plotters::prelude::*;
use serde_json::Value;

use crate::bench::write_page;
use crate::run::{Outcome, output, root};
use crate::web::node::Node;

/// One run of the cases: where, and milliseconds by case.
struct Run {
    name: String,
    times: BTreeMap<String, f64>,
}

const PARSE: &str = "JSON.parse";
const OF_BYTES: &str = "merge of an ArrayBuffer";
const OF_TEXT: &str = "merge of a string";

/// The case, and how many times as fast as `JSON.parse` alone it shall be.
const AIMS: [(&str, f64); 2] = [(OF_BYTES, 8.0), (OF_TEXT, 4.0)];

/// The verbs, each of which shall take so many microseconds at most.
const VERBS: [&str; 6] = [
    "markAsUpdating",
    "revert of an update",
    "markAsDeleting",
    "revert of a deletion",
    "getOne",
    "isProcessing",
];
const VERB: f64 = 5.0;

/// To the changed rows, the quickest first.
const PLOTTED: [&str; 6] = [
    OF_BYTES,
    OF_TEXT,
    PARSE,
    "JSON.parse and a Map",
    "TanStack DB",
    "TanStack Query: setQueryData with an overlay",
];

/// Builds the package, runs the cases, and writes what they took.
pub(crate) fn run() -> Outcome {
    let node = Node::find()?;
    super::build(&node, false)?;
    let mut bench = Command::new("node");
    let told = output(bench.arg("bench/run.js").current_dir(node.package()))?;
    let told: Value = serde_json::from_str(&told).map_err(|error| format!("{error}: {told}"))?;
    let runs: Vec<Run> = told.as_array().into_iter().flatten().map(read).collect();
    let first = runs.first().ok_or("bench/run.js ran nothing")?;
    let plot = root().join("docs/benchmarks/web.svg");
    draw(&plot, first).map_err(|error| format!("{}: {error}", plot.display()))?;
    write_page("web package", "web", &page(&node, &runs)?)
}

fn read(run: &Value) -> Run {
    let times = run["times"].as_object().into_iter().flatten();
    let time = |(case, ms): (&String, &Value)| Some((case.clone(), ms.as_f64()?));
    Run {
        name: run["name"].as_str().unwrap_or_default().into(),
        times: times.filter_map(time).collect(),
    }
}

fn page(node: &Node, runs: &[Run]) -> Result<String, String> {
    let mut page = String::from(
        "4.0 MB of 10,000 resources, 1 % of them changed: from the server's answer to the changed rows as objects. Beside it \
         stand\n`JSON.parse` alone; with a Map in which the changed ones are found by their version; TanStack Query's \
         `setQueryData` of the\nparsed list with an overlay laid over it; TanStack DB, into which what has another version is \
         written in one transaction;\nand version 1.0's own `merge`.\n\n![time of one answer](benchmarks/web.svg)\n",
    );
    for run in runs {
        table(&mut page, run).map_err(|error| error.to_string())?;
    }
    let (raw, packed) = size(node)?;
    let _ = write!(
        page,
        "\n## Size\n\nThe WebAssembly is {:.0} kB, and {:.0} kB as it is downloaded (`gzip -9`); a test holds it there.\n",
        raw as f64 / 1e3,
        packed as f64 / 1e3,
    );
    Ok(page)
}

fn table(page: &mut String, run: &Run) -> std::fmt::Result {
    let time = |case: &str| run.times.get(case).copied().unwrap_or(f64::NAN);
    write!(
        page,
        "\n## {}\n\n| case | aim | found |\n| --- | --- | --- |\n",
        run.name
    )?;
    for (case, aim) in AIMS {
        let ratio = time(PARSE) / time(case);
        writeln!(
            page,
            "| {case} | ≤ 1/{aim} of `JSON.parse` | 1/{ratio:.1} |"
        )?;
    }
    for case in VERBS {
        writeln!(page, "| {case} | ≤ {VERB} µs | {} |", human(time(case)))?;
    }
    page.push_str("\n| case | time |\n| --- | --- |\n");
    let mut others: Vec<_> = run.times.iter().collect();
    others.retain(|(case, _)| !VERBS.contains(&case.as_str()));
    others.sort_by(|a, b| a.1.total_cmp(b.1));
    for (case, time) in others {
        writeln!(page, "| {case} | {} |", human(*time))?;
    }
    Ok(())
}

/// The module's bytes, as they are and by gzip.
fn size(node: &Node) -> Result<(usize, usize), String> {
    let module = node.package().join("generated/resourcecache_bg.wasm");
    let raw = std::fs::metadata(&module).map_err(|e| format!("{}: {e}", module.display()))?;
    let script = "const z=require('zlib'),f=require('fs');\
                  console.log(z.gzipSync(f.readFileSync(process.argv[1]),{level:9}).length)";
    let packed = output(Command::new("node").args(["-e", script]).arg(&module))?;
    let packed = packed.trim().parse();
    Ok((
        raw.len() as usize,
        packed.map_err(|e| format!("gzip: {e}"))?,
    ))
}

fn human(ms: f64) -> String {
    match ms {
        ms if ms < 0.1 => format!("{:.1} µs", ms * 1e3),
        ms => format!("{ms:.1} ms"),
    }
}

fn draw(file: &Path, run: &Run) -> Result<(), Box<dyn std::error::Error>> {
    let time = |case: &str| run.times.get(case).copied().unwrap_or_default();
    let longest = PLOTTED.iter().map(|case| time(case)).fold(1.0, f64::max);
    let root = SVGBackend::new(file, (900, 330)).into_drawing_area();
    root.fill(&WHITE)?;
    let caption = format!("One answer of 10,000 resources, 1 % changed, {}", run.name);
    let mut chart = ChartBuilder::on(&root)
        .caption(caption, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(44)
        .build_cartesian_2d(0.0..longest * 1.6, 0.0..PLOTTED.len() as f64)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_desc("ms")
        .draw()?;
    for (place, case) in PLOTTED.iter().rev().enumerate() {
        let (low, time) = (place as f64, time(case));
        let ours = case.starts_with("merge");
        let color = if ours { RED } else { RGBColor(120, 120, 120) };
        let bar = Rectangle::new([(0.0, low + 0.15), (time, low + 0.85)], color.filled());
        let label = format!("{case}, {}", human(time));
        let at = (time + longest * 0.01, low + 0.65);
        chart.draw_series([bar])?;
        chart.draw_series([Text::new(label, at, ("sans-serif", 15))])?;
    }
    root.present()?;
    Ok(())
}
