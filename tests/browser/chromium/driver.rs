//! ChromeDriver, ended together with its browsers however the test ends. Killing it (which is all that
//! [`std::process::Child::kill`] can do) would leave Chromium running, and nothing runs after a `kill -9` of the test;
//! so it is started in a process group of its own under a shell that reads from our pipe and, when that closes, ends the
//! whole group.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};

const UNTIL_THE_PIPE_CLOSES: &str =
    r#"exec 3<&0; "$@" </dev/null 3<&- & read -r _ <&3; trap "" TERM; kill -TERM 0; wait"#;

/// A running ChromeDriver, on a port that it chose.
pub struct Driver {
    guard: Child,
    port: u16,
    _profiles: tempfile::TempDir,
}

impl Driver {
    pub fn start() -> io::Result<Self> {
        let profiles = tempfile::tempdir()?;
        let mut guard = Command::new("/bin/sh")
            .args([
                "-c",
                UNTIL_THE_PIPE_CLOSES,
                "sh",
                "chromedriver",
                "--port=0",
            ])
            .process_group(0)
            .env("TMPDIR", profiles.path()) // else each session leaves a folder in /tmp
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = guard
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("no pipe to chromedriver"))?;
        let mut lines = BufReader::new(stdout);
        let port = announced_port(&mut lines)?;
        // Read on, so that it never blocks on a full pipe.
        std::thread::spawn(move || io::copy(&mut lines, &mut io::sink()));
        Ok(Self {
            guard,
            port,
            _profiles: profiles,
        })
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

fn announced_port(lines: &mut BufReader<ChildStdout>) -> io::Result<u16> {
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return port
                .trim()
                .trim_end_matches('.')
                .parse()
                .map_err(io::Error::other);
        }
        line.clear();
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        "chromedriver ended before it said its port",
    ))
}
