//! The `flows` room.
