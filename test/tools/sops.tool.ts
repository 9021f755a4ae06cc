/** sops seals the values of a file under KMS keys, each able to open it alone. @module */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { CreateAliasCommand, DisableKeyCommand } from '@aws-sdk/client-kms'
import { openWorkplace } from '../compat/workplace.ts'
import { accountId, region } from '../harness.ts'
import { sops } from './sops.ts'

const { skip } = sops

const secrets = 'database:\n    user: app\n    password: Zürich-7\n'
const arnOf = (id: string): string => `arn:aws:kms:${region}:${accountId}:key/${id}`

test('sops seals a YAML file and opens it, values only', { skip }, async (t) => {
  const { print, write, folder, newKey } = await openWorkplace(t, sops)
  const arn = arnOf(await newKey())
  await write('secrets.yaml', secrets)
  await print(`sops encrypt --kms ${arn} secrets.yaml > sealed.yaml`)
  const sealed = await readFile(join(folder, 'sealed.yaml'), 'utf8')
  assert.match(sealed, /password: ENC\[AES256_GCM,/)
  assert.ok(sealed.includes(arn))
  assert.equal(sealed.includes('Zürich-7'), false)
  assert.equal(await print('sops decrypt sealed.yaml'), secrets)
  // The Region is the ARN's, whatever the environment says.
  assert.equal(await print('AWS_REGION=eu-north-1 sops decrypt sealed.yaml'), secrets)
  assert.equal(await print(`sops decrypt --extract '["database"]["user"]' sealed.yaml`), 'app')
})

test('sops seals by the rules of .sops.yaml under an alias', { skip }, async (t) => {
  const { client, print, write, newKey } = await openWorkplace(t, sops)
  const alias = { AliasName: 'alias/sops', TargetKeyId: await newKey() }
  await client.send(new CreateAliasCommand(alias))
  const arn = `arn:aws:kms:${region}:${accountId}:${alias.AliasName}`
  await write('.sops.yaml', `creation_rules:\n  - path_regex: secrets\n    kms: ${arn}\n`)
  await write('secrets.yaml', secrets)
  await print('sops encrypt --in-place secrets.yaml')
  // A new data key under the same master key, and the values sealed anew.
  await print('sops rotate --in-place secrets.yaml')
  assert.equal(await print('sops decrypt secrets.yaml'), secrets)
})

test('sops opens with either key, and with neither once both are disabled', { skip }, async (t) => {
  const { client, print, shell, write, newKey } = await openWorkplace(t, sops)
  const ids = [await newKey(), await newKey()]
  await write('secrets.yaml', secrets)
  await print(`sops encrypt --kms ${ids.map(arnOf).join(',')} secrets.yaml > sealed.yaml`)
  await client.send(new DisableKeyCommand({ KeyId: ids[0] }))
  assert.equal(await print('sops decrypt sealed.yaml'), secrets)
  await client.send(new DisableKeyCommand({ KeyId: ids[1] }))
  const { status, stdout, stderr } = await shell('sops decrypt sealed.yaml')
  assert.notEqual(status, 0)
  assert.equal(stdout, '')
  assert.match(stderr, /Failed to get the data key required to decrypt the SOPS file/)
  for (const id of ids)
    assert.match(
      stderr.replace(/[\s|]+/g, ' '),
      new RegExp(`DisabledException: \\S+${id} is disabled`),
    )
})

test('sops opens a file under its encryption context and no other', { skip }, async (t) => {
  const { print, shell, write, folder, newKey } = await openWorkplace(t, sops)
  const given = `--kms ${arnOf(await newKey())} --encryption-context 'team:blue,city:Zürich'`
  await write('secrets.yaml', secrets)
  await print(`sops encrypt ${given} secrets.yaml > sealed.yaml`)
  assert.equal(await print('sops decrypt sealed.yaml'), secrets)
  const sealed = await readFile(join(folder, 'sealed.yaml'), 'utf8')
  const moved = sealed.replace('team: blue', 'team: red')
  assert.notEqual(moved, sealed)
  await write('moved.yaml', moved)
  const { status, stdout, stderr } = await shell('sops decrypt moved.yaml')
  assert.notEqual(status, 0)
  assert.equal(stdout, '')
  assert.match(stderr, /InvalidCiphertextException/)
})

test('sops seals nothing under a key that is not there', { skip }, async (t) => {
  const { shell, write } = await openWorkplace(t, sops)
  await write('secrets.yaml', secrets)
  const arn = arnOf('00000000-0000-4000-8000-000000000000')
  const { status, stdout, stderr } = await shell(`sops encrypt --kms ${arn} secrets.yaml`)
  assert.notEqual(status, 0)
  assert.equal(stdout, '')
  assert.match(stderr.replace(/[\s|]+/g, ' '), /NotFoundException: Key '\S+' does not exist/)
})
