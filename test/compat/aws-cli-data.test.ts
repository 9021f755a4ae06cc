/**
 * The AWS CLI on data: encrypt, decrypt, re-encrypt, data keys and random bytes, with the files and
 * pipes that AWS's command reference uses; and errors as the CLI prints them.
 * @module
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateAliasCommand } from '@aws-sdk/client-kms'
import { accountId } from '../harness.ts'
import { read } from '../listed-files.ts'
import { pythonClients } from './python-clients.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients
const arnOf = (keyId: string): string => `arn:aws:kms:us-west-2:${accountId}:key/${keyId}`

const failure = (code: string, operation: string, text: string): string =>
  `An error occurred (${code}) when calling the ${operation} operation: ${text}`

test('encrypt and decrypt carry a file of any bytes through fileb://', { skip }, async (t) => {
  const { newKey, client, folder, print, shell, write } = await openWorkplace(t, clients)
  const key = await newKey()
  await client.send(new CreateAliasCommand({ AliasName: 'alias/files', TargetKeyId: key }))
  const plaintext = randomBytes(4096)
  await write('ExamplePlaintextFile', plaintext)
  await write('TooLarge', randomBytes(4097))
  const printed = await print(`
    aws kms encrypt \\
      --key-id alias/files \\
      --plaintext fileb://ExamplePlaintextFile \\
      --encryption-context Department=IT,Purpose=Test \\
      --output text \\
      --query CiphertextBlob | base64 --decode > ExampleEncryptedFile
    aws kms decrypt \\
      --ciphertext-blob fileb://ExampleEncryptedFile \\
      --key-id ${key} \\
      --encryption-context Department=IT,Purpose=Test \\
      --output text \\
      --query Plaintext | base64 --decode > DecryptedFile`)
  assert.equal(printed, '')
  assert.ok(plaintext.equals(await readFile(join(folder, 'DecryptedFile'))))
  assert.equal((await readFile(join(folder, 'ExampleEncryptedFile'))).length, 4096 + 162)

  const wrongContext = await shell(
    'aws kms decrypt --ciphertext-blob fileb://ExampleEncryptedFile --encryption-context Department=IT',
  )
  assert.deepEqual(
    [wrongContext.status, wrongContext.stderr.trim()],
    [255, failure('InvalidCiphertextException', 'Decrypt', '').trim()],
  )
  const tooLarge = await shell('aws kms encrypt --key-id alias/files --plaintext fileb://TooLarge')
  assert.equal(tooLarge.status, 255)
  assert.match(
    tooLarge.stderr,
    /An error occurred \(ValidationException\) when calling the Encrypt operation: 1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096/,
  )
})

test('re-encrypt moves a ciphertext to another key and context', { skip }, async (t) => {
  const { newKey, json, print, shell } = await openWorkplace(t, clients)
  const [from, to] = [await newKey(), await newKey()]
  await print(`
    aws kms encrypt --key-id ${from} --plaintext 'move me' --encryption-context stage=one \\
      --output text --query CiphertextBlob | base64 --decode > first`)
  const moved = (await json(`
    aws kms re-encrypt --ciphertext-blob fileb://first \\
      --source-encryption-context stage=one \\
      --destination-key-id ${to} --destination-encryption-context stage=two | tee moved.json
    python -c 'import base64, json; print(json.load(open("moved.json"))["CiphertextBlob"])' \\
      | base64 --decode > second`)) as Record<string, string>
  assert.equal(moved['SourceKeyId'], arnOf(from))
  assert.equal(moved['KeyId'], arnOf(to))
  assert.equal(moved['SourceEncryptionAlgorithm'], 'SYMMETRIC_DEFAULT')
  assert.equal(moved['DestinationEncryptionAlgorithm'], 'SYMMETRIC_DEFAULT')
  const opened = await print(`
    aws kms decrypt --ciphertext-blob fileb://second --encryption-context stage=two \\
      --output text --query Plaintext | base64 --decode`)
  assert.equal(opened, 'move me')
  const wrongKey = await shell(
    `aws kms decrypt --ciphertext-blob fileb://second --key-id ${from} --encryption-context stage=two`,
  )
  assert.deepEqual(
    [wrongKey.status, wrongKey.stderr.trim()],
    [
      255,
      failure(
        'IncorrectKeyException',
        'Decrypt',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      ),
    ],
  )
})

test('data keys open again, and random bytes come in the number asked for', { skip }, async (t) => {
  const { newKey, json, print } = await openWorkplace(t, clients)
  const key = await newKey()
  const pair = await print(`
    aws kms generate-data-key --key-id ${key} --number-of-bytes 64 --output text \\
      --query '[Plaintext,CiphertextBlob]' > pair
    cut -f 1 pair
    cut -f 2 pair | base64 --decode > sealed
    aws kms decrypt --ciphertext-blob fileb://sealed --output text --query Plaintext`)
  const [plaintext = '', opened] = pair.split('\n')
  assert.equal(opened, plaintext)
  assert.equal(Buffer.from(plaintext, 'base64').length, 64)
  const sealed = (await json(
    `aws kms generate-data-key-without-plaintext --key-id ${key} --key-spec AES_128`,
  )) as Record<string, string>
  assert.deepEqual(Object.keys(sealed).sort(), ['CiphertextBlob', 'KeyId', 'KeyMaterialId'])
  const random = await print(
    'aws kms generate-random --number-of-bytes 32 --output text --query Plaintext',
  )
  assert.equal(Buffer.from(random, 'base64').length, 32)
})

test('update-key-description shows in describe-key', { skip }, async (t) => {
  const { newKey, json } = await openWorkplace(t, clients)
  const key = await newKey({ Description: 'before' })
  const described = await json(`
    aws kms update-key-description --key-id ${key} --description 'after, with “quotes” and ünïcode'
    aws kms describe-key --key-id ${key} --query KeyMetadata.Description`)
  assert.equal(described, 'after, with “quotes” and ünïcode')
})

test("errors are AWS's, as the CLI prints them", { skip }, async (t) => {
  const { newKey, shell, client } = await openWorkplace(t, clients)
  const key = await newKey()
  const gone = '0987dcba-09fe-87dc-65ba-ab0987654321'
  await client.send(new CreateAliasCommand({ AliasName: 'alias/taken', TargetKeyId: key }))
  const cases = [
    [
      `describe-key --key-id ${gone}`,
      failure('NotFoundException', 'DescribeKey', `Key '${arnOf(gone)}' does not exist`),
    ],
    [
      `create-alias --alias-name alias/taken --target-key-id ${key}`,
      failure(
        'AlreadyExistsException',
        'CreateAlias',
        `An alias with the name arn:aws:kms:us-west-2:${accountId}:alias/taken already exists`,
      ),
    ],
    [
      `create-alias --alias-name alias/aws/mine --target-key-id ${key}`,
      failure('NotAuthorizedException', 'CreateAlias', '').trim(),
    ],
    [
      'generate-random --number-of-bytes 1025',
      failure(
        'ValidationException',
        'GenerateRandom',
        "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: " +
          'Member must have value less than or equal to 1024',
      ),
    ],
    [
      `tag-resource --key-id ${key} --tags TagKey=aws:mine,TagValue=x`,
      failure('TagException', 'TagResource', 'Tags beginning with aws: are reserved'),
    ],
  ] as const
  for (const [command, expected] of cases) {
    const { status, stdout, stderr } = await shell(`aws kms ${command}`)
    assert.deepEqual(
      { command, status, stdout, stderr: stderr.trim() },
      { command, status: 255, stdout: '', stderr: expected },
    )
  }
  const stranger = await shell(
    'AWS_ACCESS_KEY_ID=NOBODYHERE AWS_SECRET_ACCESS_KEY=12345678 aws kms list-keys',
  )
  assert.match(
    stranger.stderr,
    /\(UnrecognizedClientException\) when calling the ListKeys operation: The security token included in the request is invalid\./,
  )
  const wrongSecret = await shell(
    'AWS_ACCESS_KEY_ID=TESTROOT AWS_SECRET_ACCESS_KEY=12345678 aws kms list-keys',
  )
  assert.match(
    wrongSecret.stderr,
    /\(InvalidSignatureException\) when calling the ListKeys operation: The request signature we calculated does not match/,
  )
  assert.deepEqual([stranger.status, wrongSecret.status], [255, 255])
})

test(
  'the line of the README encrypts what it says, as the one of a start does',
  { skip },
  async (t) => {
    const { newKey, client, print } = await openWorkplace(t, clients)
    const TargetKeyId = await newKey()
    await client.send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId }))
    const readme = /^ {4}(printf .* aws kms encrypt .*)$/m.exec(read('README.md'))?.[1]
    const banner = /^ {4}' {2}(printf .* aws kms encrypt .*)',$/m.exec(
      read('src/cli/serve.ts'),
    )?.[1]
    for (const line of [readme, banner?.replace('"$key"', TargetKeyId)]) {
      assert.ok(line)
      const printed = await print(`
      ${line} --query CiphertextBlob --output text | base64 --decode > sealed
      aws kms decrypt --ciphertext-blob fileb://sealed --query Plaintext --output text`)
      assert.equal(Buffer.from(printed, 'base64').toString(), 'hello')
    }
  },
)
