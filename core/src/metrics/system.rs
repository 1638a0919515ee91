//! What the system knows of a process: proc(5). Nothing where there is no such file system.

use std::fs;

use rustix::param::{clock_ticks_per_second, page_size};

pub struct Process {
    pub memory: f64,
    pub cpu: f64,
    pub files: Option<f64>,
}

impl Process {
    pub fn read(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name, which may hold spaces and brackets.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
        let ticks = clock_ticks_per_second() as f64;
        // utime, stime and rss are the fields 14, 15 and 24, counted from 1; these begin with the third.
        Some(Self {
            memory: number(21)? * page_size() as f64,
            cpu: (number(11)? + number(12)?) / ticks,
            files: fs::read_dir(format!("/proc/{pid}/fd")).ok().map(|all| all.count() as f64),
        })
    }
}
