//! A JSON resource keeps the laws that a user's own type must keep.

use resourcecache::json::JsonResource;
use resourcecache_tests::responses::{body, patch};

resourcecache_testing::resource_laws!(JsonResource, body(), patch());
