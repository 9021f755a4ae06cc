/**
 * Trusted root certificates for attestation documents: AWS's own, or those in a PEM file.
 *
 * AWS's root is the certificate in `AWS_NitroEnclaves_Root-G1.zip`, as the crate `nitro_attest`
 * 0.2.0 publishes the archive (its SHA-256 matches AWS's documentation). The crate
 * `attestation-doc-validation` 0.10.1 and the Go module `github.com/hf/nitrite` contain the same
 * bytes. The code asserts AWS's fingerprint before it uses the certificate.
 * @see https://docs.aws.amazon.com/enclaves/latest/user/verify-root.html
 * @module
 */
import { X509Certificate } from 'node:crypto'

/** SHA-256 of AWS's root certificate, as AWS publishes it. */
export const awsRootFingerprint =
  '64:1A:03:21:A3:E2:44:EF:E4:56:46:31:95:D6:06:31:7E:D7:CD:CC:3C:17:56:E0:98:93:F3:C6:8F:79:BB:5B'

const awsRoot = `-----BEGIN CERTIFICATE-----
MIICETCCAZagAwIBAgIRAPkxdWgbkK/hHUbMtOTn+FYwCgYIKoZIzj0EAwMwSTEL
MAkGA1UEBhMCVVMxDzANBgNVBAoMBkFtYXpvbjEMMAoGA1UECwwDQVdTMRswGQYD
VQQDDBJhd3Mubml0cm8tZW5jbGF2ZXMwHhcNMTkxMDI4MTMyODA1WhcNNDkxMDI4
MTQyODA1WjBJMQswCQYDVQQGEwJVUzEPMA0GA1UECgwGQW1hem9uMQwwCgYDVQQL
DANBV1MxGzAZBgNVBAMMEmF3cy5uaXRyby1lbmNsYXZlczB2MBAGByqGSM49AgEG
BSuBBAAiA2IABPwCVOumCMHzaHDimtqQvkY4MpJzbolL//Zy2YlES1BR5TSksfbb
48C8WBoyt7F2Bw7eEtaaP+ohG2bnUs990d0JX28TcPQXCEPZ3BABIeTPYwEoCWZE
h8l5YoQwTcU/9KNCMEAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUkCW1DdkF
R+eWw5b6cp3PmanfS5YwDgYDVR0PAQH/BAQDAgGGMAoGCCqGSM49BAMDA2kAMGYC
MQCjfy+Rocm9Xue4YnwWmNJVA44fA0P5W2OpYow9OYCVRaEevL8uO1XYru5xtMPW
rfMCMQCi85sWBbJwKKXdS6BptQFuZbT73o/gBh1qUxl/nNr12UO8Yfwr6wPLb+6N
IwLz3/Y=
-----END CERTIFICATE-----
`

/** Bounded, because each document's root is compared with every one. */
const rootsMax = 16

/**
 * Returns AWS's root certificate of Nitro attestation, DER.
 * @throws {Error} if its fingerprint is not the one that AWS publishes
 */
export function awsNitroRoot(): Uint8Array {
  const root = new X509Certificate(awsRoot)
  if (root.fingerprint256 !== awsRootFingerprint) throw new Error('not the root of AWS Nitro')
  return root.raw
}

/**
 * Reads the certificates of a PEM file, DER each.
 * @throws {RangeError} with a message for the operator who wrote the file
 */
export function readRoots(pem: string): readonly Uint8Array[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new RangeError('holds no PEM certificate')
  if (blocks.length > rootsMax) throw new RangeError(`holds more than ${rootsMax} certificates`)
  return blocks.map((block, index) => {
    const root = certificateOf(block)
    if (root?.ca !== true) throw new RangeError(`certificate ${index + 1} is not a CA certificate`)
    return root.raw
  })
}

function certificateOf(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined // the caller's message says enough
  }
}
