//! Runs the benchmarks and writes what they found: docs/benchmarks.md and its plots.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use plotters::prelude::*;

use crate::run::{Outcome, cargo, output, root};

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// Nanoseconds by case and size.
type Times = BTreeMap<String, BTreeMap<usize, f64>>;

/// An aim: the case, its yardstick, and how many times as long it may take at most.
const AIMS: [(&str, &str, f64); 6] = [
    ("merge/identical", "yardstick/memcmp", 1.3),
    ("merge/1 % changed in place", "yardstick/memcmp", 2.0),
    (
        "merge/1 % inserted, removed, moved",
        "yardstick/memcmp",
        3.0,
    ),
    ("yardstick/split (ours)", "yardstick/memcmp", 10.0),
    (
        "merge/cold",
        "yardstick/sonic-rs split, hash join, cold",
        1.0,
    ),
    (
        "merge/wholly changed",
        "yardstick/sonic-rs split, hash join, wholly changed",
        1.0,
    ),
];

/// Runs everything, or only writes what the last run found.
pub(crate) fn run(only_write: bool) -> Outcome {
    if !only_write {
        println!("bench: about ten minutes; builds with cargo, installs nothing else");
        cargo(&["bench", "--locked", "-p", "resourcecache-benches"], &[])?;
    }
    let times = times(&root().join("target/criterion"))?;
    let memory = memory()?;
    let folder = root().join("docs/benchmarks");
    std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    plot_times(&folder.join("merge.svg"), &times).map_err(|e| e.to_string())?;
    plot_memory(&folder.join("memory.svg"), &memory).map_err(|e| e.to_string())?;
    let text = page(&times, &memory)?;
    std::fs::write(root().join("docs/benchmarks.md"), text).map_err(|e| e.to_string())
}

/// What criterion wrote down of its last run.
fn times(folder: &Path) -> Result<Times, String> {
    let mut found = Times::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for path in entries.filter_map(Result::ok).map(|e| e.path()) {
            if path.ends_with("new") {
                let read = |name: &str| -> Option<serde_json::Value> {
                    serde_json::from_str(&std::fs::read_to_string(path.join(name)).ok()?).ok()
                };
                let (Some(what), Some(est)) = (read("benchmark.json"), read("estimates.json"))
                else {
                    continue;
                };
                let name = format!("{}/{}", text(&what["group_id"]), text(&what["function_id"]));
                let size = text(&what["value_str"]).parse().unwrap_or(0);
                let time = est["median"]["point_estimate"].as_f64().unwrap_or(0.0);
                found.entry(name).or_default().insert(size, time);
            } else if path.is_dir() {
                folders.push(path);
            }
        }
    }
    Ok(found)
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

/// Bytes a resource by size: the response's, ours, and those of a parsed tree.
fn memory() -> Result<Vec<(usize, [usize; 3])>, String> {
    let mut test = Command::new("cargo");
    test.args([
        "test",
        "--quiet",
        "--locked",
        "-p",
        "resourcecache-benches",
        "--test",
        "memory",
    ]);
    let out = output(test.args(["--", "--nocapture"]))?;
    let numbers = |line: &str| -> Option<(usize, [usize; 3])> {
        let mut words = line
            .strip_prefix("memory ")?
            .split(' ')
            .map(|w| w.parse().ok());
        Some((
            words.next()??,
            [words.next()??, words.next()??, words.next()??],
        ))
    };
    Ok(out.lines().filter_map(numbers).collect())
}

fn plot_times(file: &Path, times: &Times) -> Result<(), Box<dyn std::error::Error>> {
    let shown = [
        ("merge/identical", "identical", &RED),
        ("merge/1 % changed in place", "1 % changed", &MAGENTA),
        (
            "merge/1 % inserted, removed, moved",
            "1 % inserted, removed, moved",
            &BLUE,
        ),
        ("merge/cold", "cold", &GREEN),
        ("yardstick/memcmp", "memcmp", &BLACK),
        (
            "yardstick/sonic-rs split, hash join, cold",
            "sonic-rs and a hash join",
            &CYAN,
        ),
        (
            "yardstick/serde_json RawValue split",
            "serde_json to RawValue",
            &RGBColor(140, 90, 20),
        ),
        (
            "yardstick/by hand: serde_json, HashMap, filter",
            "by hand: serde_json, HashMap",
            &RGBColor(120, 120, 120),
        ),
    ];
    let root = SVGBackend::new(file, (900, 560)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption("From response bytes to changes", ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(70)
        .build_cartesian_2d(
            (100.0..100_000.0_f64).log_scale(),
            (0.3..2_000_000.0_f64).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("resources of about 400 bytes")
        .y_desc("µs")
        .draw()?;
    for (case, label, color) in shown {
        let line = times.get(case).into_iter().flatten();
        let points: Vec<(f64, f64)> = line.map(|(n, t)| (*n as f64, t / 1_000.0)).collect();
        let dots = points
            .iter()
            .map(|p| Circle::new(*p, 3, color.filled()))
            .collect::<Vec<_>>();
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        chart.draw_series(dots)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}

fn plot_memory(
    file: &Path,
    memory: &[(usize, [usize; 3])],
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(file, (900, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption("Memory for each resource", ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(70)
        .build_cartesian_2d((100.0..100_000.0_f64).log_scale(), 0.0..5_500.0_f64)?;
    chart
        .configure_mesh()
        .x_desc("resources")
        .y_desc("bytes")
        .draw()?;
    let series = [
        ("the response's text", &BLACK),
        ("resourcecache", &RED),
        ("serde_json Value", &BLUE),
    ];
    for (which, (label, color)) in series.into_iter().enumerate() {
        let points = memory
            .iter()
            .map(|(n, bytes)| (*n as f64, bytes[which] as f64));
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}

fn page(times: &Times, memory: &[(usize, [usize; 3])]) -> Result<String, String> {
    let mut page = String::from(
        "# Benchmarks\n\nWritten by `cargo xtask bench`; not by hand. Times are medians of one run on one machine, side by \
         side: the ratios mean\nsomething elsewhere, the times do not. [How merging works](merging.md) explains them.\n\n",
    );
    let compiler = output(Command::new("rustc").arg("--version"))?;
    let machine = output(&mut Command::new("lscpu")).unwrap_or_default();
    let field = |name: &str| machine.lines().find_map(|line| line.strip_prefix(name));
    let machine = ["Model name:", "L2 cache:", "L3 cache:"].map(|name| {
        let value = field(name).unwrap_or("unknown").trim();
        format!("{} {value}", name.trim_end_matches(':'))
    });
    let machine = machine.join(", ");
    let date = output(Command::new("date").args(["-u", "+%Y-%m-%d"])).unwrap_or_default();
    let mut line = |text: String| {
        page.push_str(&text);
        page.push('\n');
    };
    line(format!("{}, {}, {machine}\n", date.trim(), compiler.trim()));
    line(
        "![time by length](benchmarks/merge.svg)\n\n![memory by length](benchmarks/memory.svg)\n"
            .into(),
    );
    line(
        "## Aims\n\n| case | against | aim | 10,000 | 100,000 |\n| --- | --- | --- | --- | --- |"
            .into(),
    );
    let at = |case: &str, n: usize| times.get(case).and_then(|by| by.get(&n)).copied();
    for (case, yardstick, aim) in AIMS {
        let ratio = |n| match (at(case, n), at(yardstick, n)) {
            (Some(ours), Some(theirs)) => format!("{:.2}", ours / theirs),
            _ => "-".into(),
        };
        let name = |case: &str| case.split_once('/').map_or("", |c| c.1).to_string();
        line(format!(
            "| {} | {} | ≤ {aim} | {} | {} |",
            name(case),
            name(yardstick),
            ratio(10_000),
            ratio(100_000)
        ));
    }
    line("\n## Memory\n\nBytes for each resource (`cargo test -p resourcecache-benches --test memory -- --nocapture`).\n".into());
    line(
        "| resources | response | resourcecache | serde_json `Value` |\n| --- | --- | --- | --- |"
            .into(),
    );
    for (n, [text, ours, tree]) in memory {
        line(format!("| {n} | {text} | {ours} | {tree} |"));
    }
    for (group, title) in [
        ("merge", "Merging"),
        ("yardstick", "Yardsticks"),
        ("verb", "Verbs"),
        ("outbox", "The outbox, with a tenth of the list queued"),
        ("reading", "Readings"),
    ] {
        line(format!(
            "\n## {title}\n\n| case | 100 | 1,000 | 10,000 | 100,000 |\n| --- | --- | --- | --- | --- |"
        ));
        let prefix = format!("{group}/");
        for (case, by) in times.iter().filter(|(case, _)| case.starts_with(&prefix)) {
            let mut row = format!("| {} |", &case[prefix.len()..]);
            for n in SIZES {
                let _ = write!(row, " {} |", by.get(&n).map_or("-".into(), |t| human(*t)));
            }
            line(row);
        }
    }
    Ok(page)
}

fn human(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    }
}

/// Writes the page of a language's benchmarks: what they are of, the flag that runs them, their tables.
pub(crate) fn write_page(of: &str, flag: &str, tables: &str) -> Outcome {
    let page = format!(
        "# Benchmarks of the {of}\n\nWritten by `cargo xtask bench --{flag}`; not by hand. The least of \
         several rounds, in turns, in one process on one\nmachine: the ratios mean something elsewhere, the \
         times do not.\n\n{tables}"
    );
    let file = format!("docs/{flag}-benchmarks.md");
    std::fs::write(root().join(&file), page).map_err(|e| format!("{file}: {e}"))
}
