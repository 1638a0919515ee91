//! `Content-Type` by file name. <https://www.iana.org/assignments/media-types>

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The type for a name's extension; a download when it is unknown, as `nosniff` keeps browsers from guessing.
pub fn content_type(name: &[u8]) -> &'static str {
    let extension = Path::new(OsStr::from_bytes(name)).extension().unwrap_or_default().to_ascii_lowercase();
    match extension.as_bytes() {
        b"css" => "text/css; charset=utf-8",
        b"js" | b"mjs" => "text/javascript; charset=utf-8",
        b"html" | b"htm" => "text/html; charset=utf-8",
        b"txt" => "text/plain; charset=utf-8",
        b"csv" => "text/csv; charset=utf-8",
        b"md" => "text/markdown; charset=utf-8",
        b"vtt" => "text/vtt; charset=utf-8",
        b"ics" => "text/calendar; charset=utf-8",
        b"json" | b"map" => "application/json",
        b"webmanifest" => "application/manifest+json",
        b"xml" => "application/xml",
        b"atom" => "application/atom+xml",
        b"rss" => "application/rss+xml",
        b"wasm" => "application/wasm",
        b"pdf" => "application/pdf",
        b"zip" => "application/zip",
        b"gz" => "application/gzip",
        b"svg" => "image/svg+xml",
        b"png" => "image/png",
        b"jpg" | b"jpeg" => "image/jpeg",
        b"gif" => "image/gif",
        b"webp" => "image/webp",
        b"avif" => "image/avif",
        b"ico" => "image/vnd.microsoft.icon",
        b"woff" => "font/woff",
        b"woff2" => "font/woff2",
        b"ttf" => "font/ttf",
        b"otf" => "font/otf",
        b"eot" => "application/vnd.ms-fontobject",
        b"mp3" => "audio/mpeg",
        b"m4a" => "audio/mp4",
        b"oga" | b"ogg" | b"opus" => "audio/ogg",
        b"wav" => "audio/wav",
        b"mp4" => "video/mp4",
        b"webm" => "video/webm",
        _ => "application/octet-stream",
    }
}
