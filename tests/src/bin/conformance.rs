//! Runs scenario files: a line per scenario, `N passed, N failed` at the end, and exit code 1 on
//! any failure, an unreadable file or one without a scenario.

use std::process::ExitCode;

use resourcecache_tests::run_file;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        eprintln!("usage: conformance FILE...");
        return ExitCode::from(2);
    }
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|error| error.to_string());
        match text.and_then(|text| run_file(&text)) {
            Err(problem) => {
                println!("FAILED {file}: {problem}");
                failed += 1;
            }
            Ok(reports) => {
                for report in reports {
                    match report.result {
                        Ok(()) => {
                            println!("ok     {}", report.name);
                            passed += 1;
                        }
                        Err(problem) => {
                            println!("FAILED {}\n    {problem}", report.name);
                            failed += 1;
                        }
                    }
                }
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
