//! A callback URL is a secret: it is nowhere in the database in clear, and neither are ours.

use provider_bridge::store::Engine;
use sea_orm::ConnectionTrait as _;
use secrecy::ExposeSecret as _;

use super::receiver::{Receiver, Reply};
use super::rig::{Rig, owner};
use crate::support::stores::TestStore;

#[actix_web::test]
async fn nothing_secret_stands_in_the_database_in_clear() {
    let store = TestStore::create(Engine::Sqlite).await;
    let rig = Rig::new(store.clone());
    let receiver = Receiver::start();
    let subscribed = rig
        .subscribe_as(&owner(), receiver.url(), Some("flow-1"))
        .await;
    receiver.answers(|_| Reply::Status(500));
    rig.publish("s", 1).await;
    rig.deliver().await;
    let gone = "http://127.0.0.1:9/nobody?sig=canary".to_owned();
    rig.subscribe_as(&owner(), gone, Some("flow-1")).await;
    rig.deliver_after(std::time::Duration::from_secs(60)).await;
    store
        .reader()
        .execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)")
        .await
        .unwrap();

    let provider_bridge::store::DatabaseLocation::Sqlite(file) =
        &store.database.settings().location
    else {
        panic!("this test reads the file of SQLite");
    };
    let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
    assert!(text.contains("trigger-subscription/"), "the file was read");
    let token = subscribed.unsubscribe_token.expose_secret();
    let signing = subscribed.signing_secret.expose_secret();
    for secret in ["canary", "/workflows/", "whsec_", token, signing] {
        assert!(!text.contains(secret), "{secret}");
    }
}
