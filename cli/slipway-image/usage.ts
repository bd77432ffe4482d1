export const USAGE = `usage: slipway-image fetch URL --pool DIR [options]
       slipway-image inspect FILE [--format F] [--json]
       slipway-image metalink FILE-OR-URL [options]
       slipway-image probe URL [options]

  fetch     downloads an image, unpacks it on the way, checks it, and puts it into
            a directory under its final name in one step. The same command goes on
            where an earlier run was interrupted.
  inspect   tells whether a file is an image that is safe to use
  metalink  tells what a metalink says: size, hashes, mirrors in order
  probe     reads the first bytes of each source

Options of fetch
  --pool DIR            the directory
  --name NAME           file name; else the end of the URL, without the suffix of a
                        metalink and of a compression
  --force               replace a file of that name
  --checksum CHECKSUM   {MD5}, {SHA-1}, {SHA-224}, {SHA-256}, {SHA-384} or {SHA-512},
                        then hex digits; of the file as it is downloaded
  --own-server HOST     open several connections to this server: a name, name:port
                        or CIDR; may be repeated
  --limit-rate RATE     bytes a second: 800K, 50M, 1.5G

Options of fetch, probe and metalink
  --header NAME:VALUE   sent to the origin of the URL only; may be repeated
  --allow-loopback      let URLs lead to this host itself
  --allow CIDR          let URLs lead to these internal addresses; may be repeated
  --ca FILE             trust these certificates too (PEM); may be repeated
  --proxy URL           an HTTP proxy
  --follow-redirects    follow redirects, at most 5
  --setting NAME=VALUE  a global setting, as direct.download.socket.timeout=10000

Options of all
  --format FORMAT       qcow2, raw or iso; else told from the content
  --json                one JSON object on standard output, also for an error;
                        progress as JSON lines on standard error
  --help

Every user of this host can see the arguments of a process. URLs, headers and the
proxy may be secrets: give them as @FILE, and they are read from the file, headers
one on each line.

Exit codes: 0 done, 1 usage, 2 no source could be read, 3 wrong checksum, 4 image
refused, 5 trouble with the directory, 6 trouble with this host (a program is
missing, or a defect), 130 cancelled (Ctrl-C: what was downloaded is kept).
`;
