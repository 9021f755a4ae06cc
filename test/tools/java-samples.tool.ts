/**
 * The Java samples of the developer guide of 2015 ("Programming the AWS KMS API") and of its page on
 * deleting keys, against version 1 of the AWS SDK for Java, with only the endpoint changed.
 *
 * The samples do not compile as they are printed, or would be refused by AWS. What is mended:
 * - the client is an `AWSKMSClient`, and is answered as an `AWSKMS`; braces of the class are missing; `creds` is
 *   never set: the file that `PropertiesCredentials` reads is given;
 * - GenerateDataKey is called on `kmsClient`, which is called `kms` everywhere else;
 * - `ciphertext here` and `grant token here` stand for values, and lines lack their semicolons;
 * - the policy's `Principal` is bare text, which no policy may have, and locks the caller out, which the lockout
 *   check refuses: it allows the account;
 * - `GrantOperation.Encrypt` is no String, and a grant has `Operations`, not an operation; `grant1` is no grant's id;
 * - ARNs name a key of an account that nobody has: the key that was made takes their place.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWorkplace } from '../compat/workplace.ts'
import { accountId, credentials } from '../harness.ts'
import { programsIn } from './programs.ts'

const java = await programsIn('java1')

test(
  'the Java samples of the guide run with nothing but another endpoint',
  { skip: java.skip },
  async (t) => {
    const { print, server, write } = await openWorkplace(t, java)
    const { accessKeyId, secretAccessKey } = credentials
    const file = await write(
      'AwsCredentials.properties',
      `accessKey=${accessKeyId}\nsecretKey=${secretAccessKey}\n`,
    )
    const program = `java -cp '${java.folder}/classes:${java.folder}/lib/*' GuideSamples`
    const principal = `arn:aws:iam::${accountId}:root`
    // Version 1 tells on its standard error that it is no longer kept.
    const printed = await print(`${program} '${file}' ${server.url} ${principal} 2>/dev/null`)
    assert.deepEqual(printed.trimEnd().split('\n'), [
      'described Key for protecting critical data',
      'keys 1 false',
      'disabled DisabledException 400',
      'data-key 16 true',
      'opened [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]',
      'moved true true',
      'policies [default]',
      'policy true',
      'grants 2',
      'retired 1',
      'revoked 0',
      'aliases 1',
      'updated true',
      'deleted 0',
      'scheduled PendingDeletion',
      'cancelled Disabled',
    ])
  },
)
