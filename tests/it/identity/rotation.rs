//! Keys that change while secrets stay.

use std::sync::Arc;

use base64::Engine as _;
use provider_bridge::app::open::operator;
use provider_bridge::domain::ids::ProviderId;
use provider_bridge::domain::ports::sealer::Sealer;
use provider_bridge::identity::key_ring::KeyRing;
use provider_bridge::identity::rotation::{Rotated, rotate};
use provider_bridge::identity::sealing::RingSealer;
use provider_bridge::store::{Store, secrets};
use secrecy::ExposeSecret;

use crate::on_both_engines;
use crate::support::context::context;

fn sealer(keys: &[(&str, u8)]) -> Arc<dyn Sealer> {
    let encode = |byte| base64::engine::general_purpose::STANDARD.encode([byte; 32]);
    let keys: Vec<_> = keys
        .iter()
        .map(|(id, byte)| format!("{id}:{}", encode(*byte)).into())
        .collect();
    let ring = KeyRing::parse(&keys).unwrap();
    Arc::new(RingSealer::new(&ring, context().0))
}

async fn keep(store: &Store, id: ProviderId, sealer: &dyn Sealer, secret: &str) {
    let row = id.as_uuid();
    let sealed = sealer.seal(row, secret);
    let purpose = secrets::PROVIDER_CLIENT_SECRET;
    let tx = store.begin().await.unwrap();
    secrets::keep(&tx, &context().0, purpose, row, sealed, None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

on_both_engines! {
    async fn every_secret_is_sealed_anew_and_one_that_does_not_open_is_reported(store: TestStore) {
        let (context, _) = context();
        let (one, lost) = (ProviderId::new(context.new_uuid()), ProviderId::new(context.new_uuid()));
        keep(&store, one, &*sealer(&[("old", 1)]), "canary").await;
        keep(&store, lost, &*sealer(&[("gone", 3)]), "canary").await;
        let both = sealer(&[("new", 2), ("old", 1)]);
        let rotated = rotate(&store, &context, &both, &operator(), "new").await.unwrap();
        assert_eq!(rotated, Rotated { resealed: 1, unopened: 1, changed: 0 });
        let purpose = secrets::PROVIDER_CLIENT_SECRET;
        let (sealed, _) = secrets::find(store.reader(), purpose, one.as_uuid()).await.unwrap().unwrap();
        assert_eq!(sealed.key_id, "new");
        let new = sealer(&[("new", 2)]);
        assert_eq!(new.open(one.as_uuid(), &sealed).unwrap().expose_secret(), "canary");
        let again = rotate(&store, &context, &both, &operator(), "new").await.unwrap();
        assert_eq!(again, Rotated { resealed: 0, unopened: 1, changed: 0 });
    }
}
