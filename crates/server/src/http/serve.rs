//! Sockets: accepting, keeping slow senders from holding on, and stopping without cutting off.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower_service::Service;

/// How long a client may take for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Room for the head of a request; twice the longest address we take.
const HEAD_SIZE: usize = 64 * 1024;
/// What runs when the server is told to stop may go on for so long.
pub const GRACE: Duration = Duration::from_secs(30);
/// After a failed accept (too many open files) the next waits so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` turns true, then finishes what runs; false when it had to be cut off.
pub async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) -> bool {
    let graceful = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let connection = connection(socket, peer, router.clone());
                    let watched = graceful.watch(connection);
                    tokio::spawn(async move {
                        // Clients go away in the middle of things; that is theirs to know.
                        if let Err(error) = watched.await {
                            tracing::debug!(%error, "a connection ended");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            () = told(&mut stop) => break,
        }
    }
    drop(listener);
    tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_ok()
}

/// Until the server is told to stop. A sender that is gone says it too.
pub async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn connection(
    socket: TcpStream,
    peer: SocketAddr,
    router: Router,
) -> http1::Connection<
    TokioIo<TcpStream>,
    impl hyper::service::Service<
        hyper::Request<Incoming>,
        Response = axum::response::Response,
        Error = Infallible,
        Future: Send,
    > + Send,
> {
    // Answers are written whole; waiting to fill a packet only delays them.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "a socket keeps delaying small packets");
    }
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_SIZE)
        .serve_connection(TokioIo::new(socket), service)
}
