//! The house's HTTP client as tests use it: plain http to loopback, short time-outs; and a server that answers with the
//! bytes it was given, for what a well-behaved one would never send.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::Duration;

use provider_bridge::net::client::{ClientSettings, HttpClient};
use reqwest::Url;

/// Settings for a client that calls stand-ins on loopback.
pub fn loopback_settings() -> ClientSettings {
    ClientSettings {
        timeout: Duration::from_secs(10),
        allow_plain_loopback: true,
        ..ClientSettings::default()
    }
}

/// A client for stand-ins on loopback.
pub fn loopback_client() -> HttpClient {
    HttpClient::new(&loopback_settings()).unwrap()
}

/// Answers one request with `bytes` and closes the connection. Gives its address.
pub fn answer_once(bytes: impl Into<Vec<u8>>) -> Url {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bytes = bytes.into();
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let request = BufReader::new(connection.try_clone().unwrap());
        let head = request.lines().map_while(Result::ok);
        head.take_while(|line| !line.is_empty()).for_each(drop);
        connection.write_all(&bytes).unwrap();
    });
    url.parse().unwrap()
}
