//! The `matching` room.
