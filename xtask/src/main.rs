//! What a developer runs: `cargo xtask run|web|test|tidy|generate|contract|deny|bench|crash|mutate`.
//!
//! Each command is a list of steps that print what they do and how long it took; the first that
//! fails ends the run. What must never be here: anything the program itself needs to run.

mod bench;
mod cache;
mod contract;
mod crash;
mod generate;
mod mutate;
mod run;
mod server;
mod steps;
mod system;
mod test;
mod tidy;
mod web;

use std::process::ExitCode;

use steps::Failed;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = arguments.first().map(String::as_str).unwrap_or_default();
    let rest = arguments.get(1..).unwrap_or_default();
    let outcome = match command {
        "run" => run::run(rest),
        "web" => web::build(),
        "test" => test::test(rest),
        "tidy" => tidy::tidy(),
        "generate" => generate::generate(),
        "contract" => contract::check(),
        "deny" => contract::deny(),
        "bench" => bench::bench(rest),
        "crash" => crash::crash(rest),
        "mutate" => mutate::mutate(rest),
        _ => {
            eprintln!(
                "cargo xtask run | web | test | tidy | generate | contract | deny | bench | crash | mutate"
            );
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(why)) => {
            eprintln!("\nxtask {command}: {why}");
            ExitCode::FAILURE
        }
    }
}
