//! A Redis or Valkey server of a test on a free port of the loopback interface, and a connection to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A reply of the server.
#[derive(Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Number(i64),
    Missing,
    List(Vec<Value>),
    Error(String),
}

impl Value {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) struct Server {
    child: Child,
    stream: BufReader<TcpStream>,
}

impl Server {
    /// Starts `program`; none if there is no such program.
    pub(crate) fn start(program: &str) -> Option<Self> {
        let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        if !found.is_ok_and(|status| status.success()) {
            // In CI the servers are installed first, so a missing one is a fault.
            assert!(std::env::var_os("CI").is_none(), "{program} is not installed");
            eprintln!("skipped: {program} is not installed");
            return None;
        }
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut child = Command::new(program)
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
                .args(["--save", "", "--appendonly", "no", "--loglevel", "warning"])
                .current_dir(std::env::temp_dir())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            let began = Instant::now();
            // Another process may have taken the port meanwhile.
            while child.try_wait().unwrap().is_none() && began.elapsed() < Duration::from_secs(20) {
                if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
                    stream.set_nodelay(true).unwrap();
                    return Some(Self { child, stream: BufReader::new(stream) });
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("{program} does not start")
    }

    /// Runs a command.
    pub(crate) fn run(&mut self, words: &[&str]) -> Value {
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
        self.read()
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        let (kind, rest) = line.trim_end().split_at(1);
        match kind {
            "+" => Value::Text(rest.to_owned()),
            "-" => Value::Error(rest.to_owned()),
            ":" => Value::Number(rest.parse().unwrap()),
            "$" if rest == "-1" => Value::Missing,
            "$" => {
                let mut bytes = vec![0; rest.parse::<usize>().unwrap() + 2];
                self.stream.read_exact(&mut bytes).unwrap();
                bytes.truncate(bytes.len() - 2);
                Value::Text(String::from_utf8(bytes).unwrap())
            }
            "*" => Value::List((0..rest.parse::<i64>().unwrap()).map(|_| self.read()).collect()),
            _ => panic!("{line:?}"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
