//! A list over HTTP, which the test changes: what a server with a feed of changes has besides.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

#[derive(Debug, Default)]
struct Objects {
    version: u64,
    /// By name, in the order of the names.
    all: BTreeMap<String, Value>,
}

/// A list of objects as Kubernetes writes them. It ends when this is dropped.
#[derive(Debug)]
pub struct ListServer {
    objects: Arc<Mutex<Objects>>,
    url: String,
    task: JoinHandle<()>,
}

impl ListServer {
    /// An empty one, on a free port of the loopback.
    ///
    /// # Panics
    ///
    /// No port is to be had.
    pub async fn start() -> Self {
        let objects = Arc::new(Mutex::new(Objects::default()));
        let router = Router::new()
            .route("/", get(list))
            .with_state(Arc::clone(&objects));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { objects, url, task }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sets an object; the event that tells of it, as Kubernetes writes it.
    pub fn put(&self, name: &str, n: u64) -> String {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.version += 1;
        let metadata = json!({"name": name, "resourceVersion": objects.version.to_string()});
        let object = json!({"metadata": metadata, "value": {"n": n}});
        let old = objects.all.insert(name.into(), object.clone());
        let kind = if old.is_some() { "MODIFIED" } else { "ADDED" };
        json!({"type": kind, "object": object}).to_string()
    }

    /// Takes an object away; the event that tells of it.
    ///
    /// # Panics
    ///
    /// There is none.
    pub fn delete(&self, name: &str) -> String {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.version += 1;
        let mut object = objects.all.remove(name).expect("an object");
        object["metadata"]["resourceVersion"] = objects.version.to_string().into();
        json!({"type": "DELETED", "object": object}).to_string()
    }

    /// The objects, in the order of their names.
    pub fn truth(&self) -> Vec<Value> {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.all.values().cloned().collect()
    }
}

impl Drop for ListServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn list(State(objects): State<Arc<Mutex<Objects>>>) -> Json<Value> {
    let objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
    let items: Vec<&Value> = objects.all.values().collect();
    let version = objects.version.to_string();
    Json(json!({"metadata": {"resourceVersion": version}, "items": items}))
}
