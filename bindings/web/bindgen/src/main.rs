//! `resourcecache-web-bindgen MODULE.wasm FOLDER`: the module and its JavaScript, for browsers and Node.

use std::env;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, folder] = &arguments[..] else {
        eprintln!("usage: resourcecache-web-bindgen MODULE.wasm FOLDER");
        return ExitCode::FAILURE;
    };
    match generate(module, folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{module}: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn generate(module: &str, folder: &str) -> Result<(), String> {
    let mut generator = Bindgen::new();
    let target = generator.web(true).map_err(|e| format!("{e:#}"))?;
    target
        .input_path(module)
        .omit_default_module_path(true)
        .typescript(true)
        .out_name("resourcecache")
        .generate(folder)
        .map_err(|e| format!("{e:#}"))
}
