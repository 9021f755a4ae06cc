/** `aws iam` and `aws sts` as their users run them: a user, its key, its policies, and its end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountId } from '../harness.ts'
import { pythonClients } from './python-clients.ts'
import { openWorkplace } from './workplace.ts'

const clients = await pythonClients()
const { skip } = clients

test('a user is made, signs, gets what its policies give, and ends', { skip }, async (t) => {
  const { json, print, shell, write, newKey } = await openWorkplace(t, clients)
  const KeyId = await newKey()
  const document = (action: string): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: action, Resource: '*' },
    })
  await write('encrypt.json', document('kms:Encrypt'))
  await write('self.json', document('iam:GetUser'))
  const made = (await json('aws iam create-user --user-name ada --path /ops/')) as {
    readonly User: { readonly UserId: string; readonly Arn: string }
  }
  assert.equal(made.User.Arn, `arn:aws:iam::${accountId}:user/ops/ada`)
  const { AccessKey } = (await json('aws iam create-access-key --user-name ada')) as {
    readonly AccessKey: { readonly AccessKeyId: string; readonly SecretAccessKey: string }
  }
  const asAda =
    `export AWS_ACCESS_KEY_ID='${AccessKey.AccessKeyId}' ` +
    `AWS_SECRET_ACCESS_KEY='${AccessKey.SecretAccessKey}'; `
  assert.deepEqual(await json(`${asAda} aws sts get-caller-identity`), {
    UserId: made.User.UserId,
    Account: accountId,
    Arn: made.User.Arn,
  })
  const encrypt = `${asAda} aws kms encrypt --key-id ${KeyId} --plaintext eA== --query KeyId`
  const refused = await shell(encrypt)
  assert.match(refused.stderr, /AccessDeniedException.* because no identity-based policy allows/)
  await print(
    'aws iam put-user-policy --user-name ada --policy-name self --policy-document file://self.json',
  )
  const inline = 'aws iam get-user-policy --user-name ada --policy-name self'
  assert.deepEqual(
    await json(`${inline} --query PolicyDocument`),
    JSON.parse(document('iam:GetUser')),
  )
  const { Policy } = (await json(
    'aws iam create-policy --policy-name use --policy-document file://encrypt.json',
  )) as { readonly Policy: { readonly Arn: string } }
  const attached = `--user-name ada --policy-arn ${Policy.Arn}`
  await print(`aws iam attach-user-policy ${attached}`)
  assert.match(await print(encrypt), new RegExp(KeyId))
  const self = (await json(`${asAda} aws iam get-user`)) as typeof made
  assert.deepEqual(self.User.UserId, made.User.UserId)
  const denied = await shell(`${asAda} aws iam list-users`)
  assert.match(
    denied.stderr,
    /\(AccessDenied\) when calling the ListUsers operation: User: .*user\/ops\/ada is not authorized/,
  )
  const users = 'aws iam list-users --query Users[].UserName'
  assert.deepEqual(await json(users), ['ada'])
  await print(`
    aws iam detach-user-policy ${attached}
    aws iam delete-policy --policy-arn ${Policy.Arn}
    aws iam delete-user-policy --user-name ada --policy-name self
    aws iam update-access-key --user-name ada --access-key-id ${AccessKey.AccessKeyId} --status Inactive`)
  const inactive = await shell(`${asAda} aws sts get-caller-identity`)
  assert.match(inactive.stderr, /\(InvalidClientTokenId\)/)
  await print(`
    aws iam delete-access-key --user-name ada --access-key-id ${AccessKey.AccessKeyId}
    aws iam delete-user --user-name ada`)
  const gone = await shell('aws iam get-user --user-name ada')
  assert.match(gone.stderr, /\(NoSuchEntity\).*The user with name ada cannot be found/)
  assert.deepEqual(await json(users), [])
})
