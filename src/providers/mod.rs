//! The `providers` room.
