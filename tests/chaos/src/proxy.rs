//! A TCP proxy in user space that can be told to misbehave.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
    task::JoinHandle,
};

/// What may be the matter with a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// Everything takes this much longer, in both directions.
    Delay(Duration),
    /// Connections are closed, and new ones too, at once.
    Cut,
    /// Connections stay open and nothing goes through. What is under way arrives afterwards, as TCP does it.
    BlackHole,
    /// Requests arrive, and no answer comes back. Such a connection is closed afterwards.
    DropAnswers,
}

/// A proxy on a port of its own, gone when dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    backends: Arc<Backends>,
    trouble: watch::Sender<Trouble>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Backends {
    addresses: Mutex<Vec<SocketAddr>>,
    next: AtomicUsize,
}

impl Proxy {
    /// Starts one that leads nowhere yet.
    ///
    /// # Errors
    /// When there is no port.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let backends = Arc::<Backends>::default();
        let (trouble, told) = watch::channel(Trouble::None);
        let accepting = tokio::spawn(accept(listener, backends.clone(), told));
        Ok(Self { address, backends, trouble, accepting })
    }

    /// Where clients connect: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it leads from now on. A new connection goes to the next of them that takes it, as behind a load balancer.
    pub(crate) fn lead_to(&self, addresses: Vec<SocketAddr>) {
        *self.backends.addresses.lock().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// Begins or ends a trouble.
    pub(crate) fn set(&self, trouble: Trouble) {
        self.trouble.send_replace(trouble);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Backends {
    async fn connect(&self) -> io::Result<TcpStream> {
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        for turn in 0..addresses.len() {
            if let Ok(stream) = TcpStream::connect(addresses[(first + turn) % addresses.len()]).await {
                return Ok(stream);
            }
        }
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

async fn accept(listener: TcpListener, backends: Arc<Backends>, trouble: watch::Receiver<Trouble>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let (backends, trouble) = (backends.clone(), trouble.clone());
        tokio::spawn(async move {
            tokio::select! {
                // Either way both sockets are closed.
                _ = carry(client, &backends, &trouble) => {}
                () = broken(trouble.clone()) => {}
            }
        });
    }
}

/// Waits until the connection must not go on: it was cut, or answers were lost on it.
async fn broken(mut trouble: watch::Receiver<Trouble>) {
    let loses = |now: &Trouble| matches!(now, Trouble::Cut | Trouble::DropAnswers);
    let now = trouble.wait_for(loses).await.map(|now| *now);
    if let Ok(Trouble::DropAnswers) = now {
        let _ = trouble.wait_for(|now| *now != Trouble::DropAnswers).await;
    }
}

async fn carry(client: TcpStream, backends: &Backends, trouble: &watch::Receiver<Trouble>) -> io::Result<()> {
    // In a partition not even the connection comes about.
    let _ = trouble.clone().wait_for(|now| *now != Trouble::BlackHole).await;
    let server = backends.connect().await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let requests = pump(from_client, to_server, trouble.clone(), false);
    let answers = pump(from_server, to_client, trouble.clone(), true);
    tokio::try_join!(requests, answers).map(drop)
}

async fn pump(
    mut from: tcp::OwnedReadHalf,
    mut to: tcp::OwnedWriteHalf,
    mut trouble: watch::Receiver<Trouble>,
    are_answers: bool,
) -> io::Result<()> {
    let mut chunk = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut chunk).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        let now = trouble.wait_for(|now| *now != Trouble::BlackHole).await.map_or(Trouble::None, |now| *now);
        match now {
            Trouble::DropAnswers if are_answers => continue,
            Trouble::Delay(time) => tokio::time::sleep(time).await,
            _ => {}
        }
        to.write_all(&chunk[..read]).await?;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    /// A server that says everything back, and a proxy before it.
    async fn echo() -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        let proxy = Proxy::start().await.unwrap();
        // The first one refuses: the second has to serve.
        let nobody = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
        proxy.lead_to(vec![nobody, address]);
        proxy
    }

    async fn say(stream: &mut TcpStream, word: &[u8; 4]) -> io::Result<[u8; 4]> {
        stream.write_all(word).await?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn a_cut_ends_what_is_open_and_what_is_new() {
        let proxy = echo().await;
        let mut open = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(&say(&mut open, b"ping").await.unwrap(), b"ping");
        proxy.set(Trouble::Cut);
        assert!(say(&mut open, b"ping").await.is_err());
        let mut new = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(say(&mut new, b"ping").await.is_err());
        proxy.set(Trouble::None);
        let mut healed = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(&say(&mut healed, b"ping").await.unwrap(), b"ping");
    }

    #[tokio::test]
    async fn a_black_hole_holds_back_and_lets_go_afterwards() {
        let proxy = echo().await;
        let mut open = TcpStream::connect(proxy.address()).await.unwrap();
        say(&mut open, b"ping").await.unwrap();
        proxy.set(Trouble::BlackHole);
        let held = timeout(Duration::from_millis(100), say(&mut open, b"held")).await;
        assert!(held.is_err(), "nothing comes through");
        proxy.set(Trouble::None);
        let mut answer = [0; 4];
        open.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"held");
    }

    #[tokio::test]
    async fn dropped_answers_never_come_and_the_connection_ends() {
        let proxy = echo().await;
        let mut open = TcpStream::connect(proxy.address()).await.unwrap();
        say(&mut open, b"ping").await.unwrap();
        proxy.set(Trouble::DropAnswers);
        assert!(timeout(Duration::from_millis(100), say(&mut open, b"lost")).await.is_err());
        proxy.set(Trouble::None);
        let mut answer = [0; 4];
        assert!(open.read_exact(&mut answer).await.is_err(), "{answer:?}");
    }

    #[tokio::test]
    async fn a_delay_delays_both_ways() {
        let proxy = echo().await;
        let mut open = TcpStream::connect(proxy.address()).await.unwrap();
        say(&mut open, b"ping").await.unwrap();
        proxy.set(Trouble::Delay(Duration::from_millis(50)));
        let begin = Instant::now();
        say(&mut open, b"slow").await.unwrap();
        assert!(begin.elapsed() >= Duration::from_millis(100));
    }
}
