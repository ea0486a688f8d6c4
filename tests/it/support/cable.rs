//! A cable to PostgreSQL that a test can cut and mend: a socket of its own, behind which the real server stands. Cut, it
//! refuses connections as a stopped server does, and those that were open are gone.

use std::path::{Path, PathBuf};

use provider_bridge::store::DatabaseLocation;
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

const SOCKET: &str = ".s.PGSQL.5432";

/// The cable; it is mended when it is made.
pub struct Cable {
    folder: TempDir,
    url: Url,
    whole: watch::Sender<bool>,
}

enum Server {
    Socket(PathBuf),
    Address(String, u16),
}

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

impl Server {
    fn of(url: &Url) -> Self {
        let port = url.port().unwrap_or(5432);
        let folder = url.query_pairs().find(|(name, _)| name == "host");
        match folder {
            Some((_, folder)) => Self::Socket(Path::new(&*folder).join(format!(".s.PGSQL.{port}"))),
            None => Self::Address(url.host_str().unwrap().to_owned(), port),
        }
    }

    async fn connect(&self) -> std::io::Result<Box<dyn Wire>> {
        Ok(match self {
            Self::Socket(path) => Box::new(UnixStream::connect(path).await?),
            Self::Address(host, port) => {
                Box::new(TcpStream::connect((host.as_str(), *port)).await?)
            }
        })
    }
}

impl Cable {
    /// Lays a cable to the database there.
    pub async fn lay(location: &DatabaseLocation) -> Self {
        let DatabaseLocation::Postgres(url) = location else {
            panic!("a file needs no cable")
        };
        let mut url: Url = url.expose_secret().parse().unwrap();
        let server = Server::of(&url);
        // A socket's path must stay below 108 bytes.
        let folder = tempfile::Builder::new()
            .prefix("pb-cable.")
            .tempdir_in("/tmp")
            .unwrap();
        url.set_host(Some("localhost")).unwrap();
        url.set_port(Some(5432)).unwrap();
        url.set_query(Some(&format!("host={}", folder.path().display())));
        let (whole, seen) = watch::channel(true);
        actix_web::rt::spawn(carry(folder.path().join(SOCKET), server, seen));
        let cable = Self { folder, url, whole };
        cable.settle(true).await;
        cable
    }

    /// The database at this end of it.
    pub fn location(&self) -> DatabaseLocation {
        DatabaseLocation::Postgres(self.url.to_string().into())
    }

    /// What cuts it, from anywhere and at any time; it takes effect in a moment.
    pub fn scissors(&self) -> watch::Sender<bool> {
        self.whole.clone()
    }

    pub async fn cut(&self) {
        self.whole.send_replace(false);
        self.settle(false).await;
    }

    pub async fn mend(&self) {
        self.whole.send_replace(true);
        self.settle(true).await;
    }

    async fn settle(&self, whole: bool) {
        let socket = self.folder.path().join(SOCKET);
        while UnixStream::connect(&socket).await.is_ok() != whole {
            tokio::task::yield_now().await;
        }
    }
}

async fn carry(socket: PathBuf, server: Server, mut whole: watch::Receiver<bool>) {
    let server = std::sync::Arc::new(server);
    while whole.wait_for(|whole| *whole).await.is_ok() {
        drop(std::fs::remove_file(&socket));
        let Ok(listener) = UnixListener::bind(&socket) else {
            return;
        };
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                // What stands below is dropped with it: the socket stays and refuses.
                _ = whole.wait_for(|whole| !whole) => break,
                Ok((mut near, _)) = listener.accept() => {
                    let server = server.clone();
                    connections.spawn(async move {
                        if let Ok(mut far) = server.connect().await {
                            drop(copy_bidirectional(&mut near, &mut far).await);
                        }
                    });
                }
            }
        }
    }
}
