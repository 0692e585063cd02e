//! The program itself as a process, as somebody starts it. What is waited for here is waited for
//! on the test's own thread: the server runs elsewhere.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use crate::support::PASSWORD;

/// The program, in development mode on a data folder, with nothing from our own environment that
/// would decide something.
pub fn opsflux(data: &Path) -> Command {
    prepared(Command::new(env!("CARGO_BIN_EXE_opsflux")), data)
}

/// The same started by another program, whose arguments end with it.
pub fn under(mut other: Command, data: &Path) -> Command {
    other.arg(env!("CARGO_BIN_EXE_opsflux"));
    prepared(other, data)
}

fn prepared(mut command: Command, data: &Path) -> Command {
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("OPSFLUX_")) {
        command.env_remove(name);
    }
    command
        .env("OPSFLUX_MODE", "development")
        .env("OPSFLUX_DATA", data)
        .env("OPSFLUX_ADMIN_PASSWORD", PASSWORD)
        .stdin(Stdio::null());
    command
}

/// Runs a command of the program to its end; what it said.
pub fn done(mut command: Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let trouble = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}{trouble}");
    said
}

/// A server that runs as a process of its own.
pub struct Serving {
    pub address: SocketAddr,
    child: Child,
    said: BufReader<ChildStdout>,
    first: String,
    /// Reads stderr all the time, so that the server never waits for a reader.
    logged: Option<JoinHandle<String>>,
}

impl Serving {
    /// Starts `command` (which must be `opsflux`) as a server and waits until it listens.
    pub fn start(mut command: Command) -> Serving {
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                let program = command.get_program().display();
                panic!("{program}: {error}: install the Debian package of that name")
            });
        let mut errors = child.stderr.take().expect("its stderr");
        let logged = std::thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).expect("its log");
            log
        });
        let mut said = BufReader::new(child.stdout.take().expect("its stdout"));
        let mut first = String::new();
        said.read_line(&mut first).expect("its first line");
        let Some((_, address)) = first.trim().split_once("listens on http://") else {
            let log = logged.join().expect("a thread");
            panic!("{command:?} does not listen: {first}{log}");
        };
        Serving {
            address: address.parse().expect("an address"),
            child,
            said,
            first,
            logged: Some(logged),
        }
    }

    /// Asks the process that owns the data folder to stop; all that was said on stdout and stderr.
    pub fn stop(mut self, data: &Path) -> String {
        let lock = std::fs::read_to_string(data.join("opsflux.lock")).expect("its lock");
        let pid: u32 = lock.trim().parse().expect("its id");
        let stopped = Command::new("kill")
            .args(["-TERM", &pid.to_string()])
            .status();
        assert!(stopped.expect("kill").success());
        let mut said = std::mem::take(&mut self.first);
        self.said.read_to_string(&mut said).expect("stdout");
        let logged = self.logged.take().expect("a reader");
        let log = logged.join().expect("a thread");
        let status = self.child.wait().expect("an end");
        assert!(status.success(), "{status}: {log}");
        said + &log
    }
}

impl Serving {
    /// Ends it as a power cut does: it hears nothing and finishes nothing.
    pub fn kill(mut self) {
        self.child.kill().expect("a process to kill");
        self.child.wait().expect("its end");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // After a failure: whoever was started ends with the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
