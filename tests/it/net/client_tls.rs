//! TLS: a private authority is trusted when it is given, and only then.

use std::sync::Arc;

use actix_web::{App, HttpResponse, HttpServer, web};
use provider_bridge::net::client::{ClientSettings, HttpClient, NetError};
use reqwest::{Method, Url};

/// A server on https with a certificate nobody knows; its address and the certificate.
fn private_server() -> (Url, String) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let server = HttpServer::new(|| App::new().default_service(web::to(HttpResponse::Ok)))
        .workers(1)
        .disable_signals()
        .bind_rustls_0_23(("127.0.0.1", 0), tls)
        .unwrap();
    let port = server.addrs()[0].port();
    actix_web::rt::spawn(server.run());
    (
        format!("https://localhost:{port}/").parse().unwrap(),
        cert.pem(),
    )
}

async fn get(settings: &ClientSettings, url: Url) -> Result<u16, NetError> {
    let client = HttpClient::new(settings)?;
    let answer = client.send(client.request(Method::GET, url)?).await?;
    Ok(answer.status.as_u16())
}

#[actix_web::test]
async fn a_private_authority_is_trusted_when_it_is_given_and_only_then() {
    let (url, pem) = private_server();
    let strangers = ClientSettings::default();
    let error = get(&strangers, url.clone()).await.unwrap_err();
    assert!(matches!(error, NetError::Connect { .. }), "{error:?}");
    let trusting = ClientSettings {
        trusted_root_pem: Some(pem),
        ..ClientSettings::default()
    };
    assert_eq!(get(&trusting, url).await.unwrap(), 200);
}

#[test]
fn a_trusted_root_that_is_no_certificate_is_refused_at_start() {
    for pem in [
        "",
        "not a certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let settings = ClientSettings {
            trusted_root_pem: Some(pem.to_owned()),
            ..ClientSettings::default()
        };
        let made = HttpClient::new(&settings);
        assert!(matches!(made, Err(NetError::Setup(_))), "{pem}: {made:?}");
    }
}
