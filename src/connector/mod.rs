//! The `connector` room.
