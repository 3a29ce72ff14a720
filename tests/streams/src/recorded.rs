//! A server that answers what was written down: Kubernetes' payloads, as its documentation ("API
//! Concepts") shows them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What comes behind the bytes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Its end.
    End,
    /// Nothing, for as long as the client listens.
    Silence,
}

/// An answer, to the first request that has these parameters; each is given once.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Parameters that the request must have; one without a value must not be there.
    pub asked: Vec<(&'static str, Option<&'static str>)>,
    /// The HTTP status.
    pub status: u16,
    /// The file of its body, in `fixtures/kubernetes`.
    pub file: &'static str,
    /// What comes then.
    pub then: Then,
}

type Answers = Arc<Mutex<Vec<Answer>>>;

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub struct Recorded {
    url: String,
    answers: Answers,
    task: JoinHandle<()>,
}

impl Recorded {
    /// One that gives these answers.
    ///
    /// # Panics
    ///
    /// No port is to be had.
    pub async fn start(answers: Vec<Answer>) -> Self {
        let answers = Arc::new(Mutex::new(answers));
        let router = Router::new()
            .route("/api/v1/namespaces/test/pods", get(answer))
            .with_state(Arc::clone(&answers));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { url, answers, task }
    }

    /// The URL of its pods.
    pub fn url(&self) -> String {
        format!("{}/api/v1/namespaces/test/pods", self.url)
    }

    /// How many answers nobody has asked for yet.
    pub fn left(&self) -> usize {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.len()
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(answers): State<Answers>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    let fits = |answer: &Answer| {
        let mut wanted = answer.asked.iter();
        wanted.all(|(name, value)| asked.get(*name).map(String::as_str) == *value)
    };
    let Some(at) = answers.iter().position(fits) else {
        let asked = format!("nobody wrote down an answer to {asked:?}");
        return (StatusCode::IM_A_TEAPOT, asked).into_response();
    };
    let answer = answers.remove(at);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kubernetes");
    let bytes = std::fs::read(folder.join(answer.file)).expect("a fixture");
    // In small pieces, so that lines are cut.
    let pieces: Vec<_> = bytes.chunks(100).map(Bytes::copy_from_slice).collect();
    let pieces = stream::iter(pieces).map(Ok::<_, std::convert::Infallible>);
    let body = match answer.then {
        Then::End => Body::from_stream(pieces),
        Then::Silence => Body::from_stream(pieces.chain(stream::pending())),
    };
    let status = StatusCode::from_u16(answer.status).expect("a status");
    (status, [("content-type", "application/json")], body).into_response()
}
