//! The binary `opsflux`. Everything is in the library, so that tests can start it too.

use std::process::ExitCode;

/// Many small allocations on many threads: measurably cheaper than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    opsflux_server::cli::main()
}
