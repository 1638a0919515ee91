//! The codecs, by their crates: whole bodies with contexts that are kept, and streams that are flushed at every chunk.

use std::io::{self, Write};

use brotli::CompressorWriter;
use brotli::enc::{BrotliCompress, BrotliEncoderParams};
use flate2::write::GzEncoder;
use flate2::{Compress, Compression, FlushCompress, Status};
use zstd::bulk::Compressor;
use zstd::stream::write::Encoder;
use zstd::zstd_safe::CParameter;

use super::Coding;

/// log2 of the bytes that a stream looks back: memory of every open stream (512 KiB), little to gain above it for text.
const WINDOW: u32 = 19;

/// Compresses whole bodies; one a thread, as making a zstd or zlib context costs more than compressing a small body.
#[derive(Default)]
pub struct Encoders {
    zstd: Option<(u32, Compressor<'static>)>,
    gzip: Option<(u32, Compress)>,
}

impl Encoders {
    /// The coded body, or `None` when it would not be shorter (or memory ran out): send it as it is.
    pub fn compress(&mut self, coding: Coding, level: u32, data: &[u8]) -> Option<Vec<u8>> {
        let coded = match coding {
            Coding::Zstd => self.zstd(level, data)?,
            Coding::Gzip => self.gzip(level, data)?,
            Coding::Brotli => brotli(level, data)?,
        };
        (coded.len() < data.len()).then_some(coded)
    }

    fn zstd(&mut self, level: u32, data: &[u8]) -> Option<Vec<u8>> {
        if self.zstd.as_ref().is_none_or(|(made, _)| *made != level) {
            self.zstd = Some((level, Compressor::new(level as i32).ok()?));
        }
        self.zstd.as_mut()?.1.compress(data).ok()
    }

    fn gzip(&mut self, level: u32, data: &[u8]) -> Option<Vec<u8>> {
        if self.gzip.as_ref().is_none_or(|(made, _)| *made != level) {
            self.gzip = Some((level, Compress::new_gzip(Compression::new(level), 15)));
        }
        let context = &mut self.gzip.as_mut()?.1;
        context.reset();
        // What does not get shorter is not wanted.
        let mut coded = Vec::with_capacity(data.len());
        let status = context.compress_vec(data, &mut coded, FlushCompress::Finish);
        if matches!(status, Ok(Status::StreamEnd)) {
            return Some(coded);
        }
        // zlib-rs 0.6 cannot reset a context that has stopped half-way: the next body would panic.
        self.gzip = None;
        None
    }
}

fn brotli(level: u32, mut data: &[u8]) -> Option<Vec<u8>> {
    let mut coded = Vec::with_capacity(data.len() / 2);
    // A larger window than the body only takes time to make.
    let bits = usize::BITS - data.len().leading_zeros();
    let settings = BrotliEncoderParams {
        quality: level as i32,
        lgwin: bits.clamp(16, 22) as i32,
        size_hint: data.len(),
        ..BrotliEncoderParams::default()
    };
    BrotliCompress(&mut data, &mut coded, &settings).ok()?;
    Some(coded)
}

/// Compresses a body that comes in chunks; each chunk can be decoded by the peer as soon as it has it.
pub enum Stream {
    Zstd(Encoder<'static, Vec<u8>>),
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
}

impl Stream {
    pub fn new(coding: Coding, level: u32) -> io::Result<Self> {
        Ok(match coding {
            Coding::Zstd => {
                let mut encoder = Encoder::new(Vec::new(), level as i32)?;
                encoder.set_parameter(CParameter::WindowLog(WINDOW))?;
                Self::Zstd(encoder)
            }
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), Compression::new(level))),
            Coding::Brotli => Self::Brotli(Box::new(CompressorWriter::new(Vec::new(), 4096, level, WINDOW))),
        })
    }

    /// Appends what the peer needs to decode `data` to `out`.
    pub fn write(&mut self, data: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let made = match self {
            Self::Zstd(encoder) => flushed(encoder, data, Encoder::get_mut)?,
            Self::Gzip(encoder) => flushed(encoder, data, GzEncoder::get_mut)?,
            Self::Brotli(encoder) => flushed(encoder.as_mut(), data, CompressorWriter::get_mut)?,
        };
        out.append(made);
        Ok(())
    }

    /// Appends the end of the coding.
    pub fn end(self, out: &mut Vec<u8>) -> io::Result<()> {
        let mut made = match self {
            Self::Zstd(encoder) => encoder.finish()?,
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Brotli(encoder) => encoder.into_inner(),
        };
        out.append(&mut made);
        Ok(())
    }
}

fn flushed<'a, W: Write>(
    encoder: &'a mut W,
    data: &[u8],
    made: fn(&'a mut W) -> &'a mut Vec<u8>,
) -> io::Result<&'a mut Vec<u8>> {
    encoder.write_all(data)?;
    encoder.flush()?;
    Ok(made(encoder))
}
