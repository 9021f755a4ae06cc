/** The same call for the AWS CLI and for JavaScript, to copy. @module */

export interface Attempt {
  readonly operation: 'encrypt' | 'decrypt' | 'sign' | 'verify'
  readonly key: string
  /** Base64. */
  readonly data: string
  /** Base64; for verify. */
  readonly signature: string
  readonly algorithm: string
  readonly context: Readonly<Record<string, string>>
}

/** Quotes an argument for a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

const withContext = ({ context }: Attempt): boolean => Object.keys(context).length > 0

export function cliOf(attempt: Attempt, region: string): string {
  const { operation, key, data, signature, algorithm } = attempt
  const context = withContext(attempt)
    ? [`--encryption-context ${quoted(JSON.stringify(attempt.context))}`]
    : []
  const encryption =
    algorithm === 'SYMMETRIC_DEFAULT' ? [] : [`--encryption-algorithm ${algorithm}`]
  const common = [`--region ${region}`, `--key-id ${quoted(key)}`]
  const parts = {
    encrypt: [...common, `--plaintext ${quoted(data)}`, ...encryption, ...context],
    decrypt: [...common, `--ciphertext-blob ${quoted(data)}`, ...encryption, ...context],
    sign: [...common, `--message ${quoted(data)}`, `--signing-algorithm ${algorithm}`],
    verify: [
      ...common,
      `--message ${quoted(data)}`,
      `--signature ${quoted(signature)}`,
      `--signing-algorithm ${algorithm}`,
    ],
  }[operation]
  // The second version of the AWS CLI takes base64 by default.
  return `aws kms ${operation} \\\n  ${[...parts, `--endpoint-url ${location.origin}`].join(' \\\n  ')}`
}

export function javaScriptOf(attempt: Attempt, region: string): string {
  const { operation, key, data, signature, algorithm, context } = attempt
  const command = `${operation.charAt(0).toUpperCase()}${operation.slice(1)}Command`
  const bytes = (base64: string): string => `Buffer.from(${JSON.stringify(base64)}, 'base64')`
  const more = [
    ...(algorithm === 'SYMMETRIC_DEFAULT'
      ? []
      : [`EncryptionAlgorithm: ${JSON.stringify(algorithm)}`]),
    ...(withContext(attempt) ? [`EncryptionContext: ${JSON.stringify(context)}`] : []),
  ]
  const signing = `SigningAlgorithm: ${JSON.stringify(algorithm)}`
  const members = {
    encrypt: [`Plaintext: ${bytes(data)}`, ...more],
    decrypt: [`CiphertextBlob: ${bytes(data)}`, ...more],
    sign: [`Message: ${bytes(data)}`, signing],
    verify: [`Message: ${bytes(data)}`, `Signature: ${bytes(signature)}`, signing],
  }[operation]
  const input = [`KeyId: ${JSON.stringify(key)}`, ...members].map((each) => `    ${each},`)
  return [
    `import { KMSClient, ${command} } from '@aws-sdk/client-kms'`,
    '',
    `const kms = new KMSClient({ region: '${region}', endpoint: '${location.origin}' })`,
    `const answer = await kms.send(`,
    `  new ${command}({`,
    ...input,
    '  }),',
    ')',
  ].join('\n')
}
