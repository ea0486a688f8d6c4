//! `keys rotate`: seals every stored secret anew under the first key of the ring. The service may run meanwhile, with the
//! same ring: it opens with any key of it.

use std::sync::Arc;

use anyhow::bail;

use crate::app::clock::system_context;
use crate::app::open::{open_current_store, open_key_ring, operator};
use crate::app::output::note;
use crate::config::Config;
use crate::domain::ports::sealer::Sealer;
use crate::identity::rotation::rotate;
use crate::identity::sealing::RingSealer;

/// Rotates.
///
/// # Errors
/// When the database or the ring cannot be opened, or a secret cannot be.
pub async fn run(config: &Config) -> anyhow::Result<()> {
    let context = system_context();
    let store = open_current_store(config).await?;
    let ring = open_key_ring(config, &context)?;
    let sealer: Arc<dyn Sealer> = Arc::new(RingSealer::new(&ring, context.clone()));
    let current = ring.current_id();
    let rotated = rotate(&store, &context, &sealer, &operator(), current).await?;
    note(format!(
        "{} secrets are sealed with key `{current}` now; {} were changed meanwhile",
        rotated.resealed, rotated.changed
    ));
    if rotated.unopened > 0 {
        bail!(
            "{} secrets could not be opened; keep their keys in keys.ring, add the missing ones, and rotate again",
            rotated.unopened
        );
    }
    note("former keys may leave keys.ring once sign-ins under way are over (ten minutes)");
    Ok(())
}
