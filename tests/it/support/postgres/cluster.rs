//! A throw-away PostgreSQL of this process, for when `TEST_POSTGRES_URL` names none. It listens on a unix socket only, so
//! there is no port to fight over, and it ends with this process however that ends: its server runs under a shell that
//! reads from our pipe, stops the server when the pipe closes, and removes the folder.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// `$0` is the folder to remove, the rest is the server's command.
const UNTIL_THE_PIPE_CLOSES: &str =
    r#"exec 3<&0; "$@" </dev/null 3<&- & p=$!; read -r _ <&3; kill -QUIT $p; wait $p; rm -rf "$0""#;

/// Speed for safety: nobody will miss this data after a crash.
const SETTINGS: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=200",
    "shared_buffers=64MB",
    "jit=off",
];

/// A running server.
pub struct Cluster {
    folder: PathBuf,
    _guard: Child,
}

impl Cluster {
    /// Makes and starts one; takes about 0.6 s.
    pub fn start() -> io::Result<Self> {
        let account = server_account();
        // Not TMPDIR, which may be long: a socket's path must stay below 108 bytes.
        let removed_unless_started = tempfile::Builder::new()
            .prefix("pb-pg.")
            .tempdir_in("/tmp")?;
        let folder = removed_unless_started.path().to_owned();
        fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        if let Some((user, group)) = account {
            chown(&folder, Some(user), Some(group))?;
        }
        let data = folder.join("data");
        initialise(&data, account)?;
        let log = File::create(folder.join("log"))?;
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(UNTIL_THE_PIPE_CLOSES)
            .arg(&folder)
            .arg(program("postgres"));
        command
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(&folder)
            .args(["-h", "", "-p", "5432"]);
        command.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
        command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        let guard = as_account(command, account).spawn()?;
        // From here on the guard removes it.
        let _ = removed_unless_started.keep();
        let cluster = Self {
            folder,
            _guard: guard,
        };
        cluster.wait_until_ready(&data)?;
        Ok(cluster)
    }

    /// The URL of its first database.
    pub fn url(&self) -> String {
        format!(
            "postgres://postgres@localhost:5432/postgres?host={}",
            self.folder.display()
        )
    }

    /// The eighth line of this file turns to "ready".
    fn wait_until_ready(&self, data: &Path) -> io::Result<()> {
        let end = Instant::now() + Duration::from_secs(30);
        let state = || fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        while state().lines().nth(7).map(str::trim) != Some("ready") {
            if Instant::now() > end {
                let log = fs::read_to_string(self.folder.join("log"))?;
                return Err(io::Error::other(format!("PostgreSQL did not start: {log}")));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

fn initialise(data: &Path, account: Option<(u32, u32)>) -> io::Result<()> {
    let mut command = Command::new(program("initdb"));
    command
        .arg("-D")
        .arg(data)
        .args(["-U", "postgres", "-A", "trust", "-E", "UTF8"]);
    command
        .args(["--locale=C.UTF-8", "--no-sync"])
        .stdin(Stdio::null());
    let output = as_account(command, account).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(
        String::from_utf8_lossy(&output.stderr).into_owned(),
    ))
}

/// The newest of Debian's server folders, which are not on PATH; else what PATH has.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let numbered = versions.filter_map(|entry| {
        let number: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((number, entry.path().join("bin").join(name)))
    });
    let newest = numbered.filter(|(_, path)| path.exists()).max();
    newest.map_or_else(|| name.into(), |(_, path)| path)
}

/// PostgreSQL refuses to run as root; then it runs as the account that its package made.
fn server_account() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    let find = |name: &str| {
        let fields = accounts
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>());
        let account = fields
            .into_iter()
            .find(|fields| fields.first() == Some(&name))?;
        Some((account.get(2)?.parse().ok()?, account.get(3)?.parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody"))
}

fn as_account(mut command: Command, account: Option<(u32, u32)>) -> Command {
    if let Some((user, group)) = account {
        command.uid(user).gid(group);
    }
    command.current_dir("/"); // that account may not be able to enter our folder
    command
}
