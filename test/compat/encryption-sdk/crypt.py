"""The AWS Encryption SDK for Python as a filter of files.

    crypt.py encrypt KEY_ARN[,KEY_ARN…] SOURCE DESTINATION NAME=VALUE…
    crypt.py decrypt KEY_ARN[,KEY_ARN…] SOURCE DESTINATION

The first key generates the data key, the others seal it too. Decrypting prints the encryption context.
"""

import json
import sys

from aws_encryption_sdk import CommitmentPolicy, EncryptionSDKClient
from aws_encryption_sdk.key_providers.kms import StrictAwsKmsMasterKeyProvider


def main(mode, keys, source, destination, *context):
    client = EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    )
    settings = {'mode': mode, 'key_provider': StrictAwsKmsMasterKeyProvider(key_ids=keys.split(','))}
    if mode == 'encrypt':
        settings['encryption_context'] = dict(pair.split('=', 1) for pair in context)
    with open(source, 'rb') as reading, open(destination, 'wb') as writing:
        with client.stream(source=reading, **settings) as stream:
            for chunk in stream:
                writing.write(chunk)
            if mode == 'decrypt':
                print(json.dumps(stream.header.encryption_context))


main(*sys.argv[1:])
