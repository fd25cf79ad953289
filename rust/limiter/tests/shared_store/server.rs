//! A real server of its own on a free port, and a client that speaks its protocol (RESP).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that is killed when it is dropped, and one connection to it.
pub(crate) struct Server {
    child: Child,
    stream: BufReader<TcpStream>,
}

/// What a server answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Text(String),
    Number(i64),
    Nil,
    List(Vec<Answer>),
    Error(String),
}

impl Server {
    /// Starts a program such as `redis-server`. None if it is not installed, with a message; in CI
    /// that fails.
    pub(crate) fn start(program: &str) -> Option<Self> {
        if Command::new(program).arg("--version").stdout(Stdio::null()).status().is_err() {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI has to install {program}");
            eprintln!("skipped: no {program}");
            return None;
        }
        // Somebody else may take the port before the server does.
        let server = (0..5).find_map(|_| Self::launch(program));
        Some(server.expect("the server starts"))
    }

    fn launch(program: &str) -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut child = Command::new(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(std::env::temp_dir())
            .stdout(Stdio::null())
            .spawn()
            .expect("a program that told its version");
        let patience = Instant::now() + Duration::from_secs(15);
        while Instant::now() < patience && child.try_wait().is_ok_and(|ended| ended.is_none()) {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
                stream.set_nodelay(true).expect("a socket");
                let mut server = Self { child, stream: BufReader::new(stream) };
                assert_eq!(server.call(&["PING"]), Answer::Text("PONG".into()));
                return Some(server);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
        None
    }

    /// Sends one command and reads its answer.
    pub(crate) fn call(&mut self, words: &[&str]) -> Answer {
        self.send(words);
        self.read()
    }

    /// Sends one command. Its answer has to be read.
    pub(crate) fn send(&mut self, words: &[&str]) {
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            text += &format!("${}\r\n{word}\r\n", word.len());
        }
        self.stream.get_mut().write_all(text.as_bytes()).expect("a connection");
    }

    /// Reads the next answer.
    pub(crate) fn read(&mut self) -> Answer {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a connection");
        let (kind, rest) = line.trim_end().split_at(1);
        let length = || rest.parse::<i64>().expect("a number");
        match kind {
            "+" => Answer::Text(rest.into()),
            "-" => Answer::Error(rest.into()),
            ":" => Answer::Number(length()),
            "*" if length() >= 0 => Answer::List((0..length()).map(|_| self.read()).collect()),
            "$" if length() >= 0 => {
                let mut bytes = vec![0; length() as usize + 2];
                self.stream.read_exact(&mut bytes).expect("a connection");
                bytes.truncate(bytes.len() - 2);
                Answer::Text(String::from_utf8(bytes).expect("text"))
            }
            _ => Answer::Nil,
        }
    }
}

impl Answer {
    /// The text; the test fails on anything else.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            other => panic!("not a text: {other:?}"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
