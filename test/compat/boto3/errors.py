"""Errors as botocore knows them: its own class where the model has one, the code where it has none."""

import json
import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

kms = boto3.client('kms')
ABSENT = '0987dcba-09fe-87dc-65ba-ab0987654321'


def code_of(raised):
    return raised.exception.response['Error']['Code']


class Errors(unittest.TestCase):
    def setUp(self):
        self.key = kms.create_key()['KeyMetadata']

    def test_modeled_errors_have_their_class_and_text(self):
        with self.assertRaises(kms.exceptions.NotFoundException) as raised:
            kms.describe_key(KeyId=ABSENT)
        response = raised.exception.response
        self.assertRegex(response['Error']['Message'], f"^Key 'arn:.*{ABSENT}' does not exist$")
        self.assertEqual(response['ResponseMetadata']['HTTPStatusCode'], 400)
        self.assertRegex(response['ResponseMetadata']['RequestId'], '^[0-9a-f-]{36}$')
        self.assertEqual(raised.exception.operation_name, 'DescribeKey')

    def test_a_disabled_key(self):
        kms.disable_key(KeyId=self.key['KeyId'])
        with self.assertRaises(kms.exceptions.DisabledException) as raised:
            kms.encrypt(KeyId=self.key['KeyId'], Plaintext=b'x')
        self.assertEqual(str(raised.exception).split(': ', 1)[1], f"{self.key['Arn']} is disabled.")

    def test_a_key_pending_deletion(self):
        kms.schedule_key_deletion(KeyId=self.key['KeyId'], PendingWindowInDays=7)
        with self.assertRaises(kms.exceptions.KMSInvalidStateException):
            kms.generate_data_key(KeyId=self.key['KeyId'], KeySpec='AES_256')

    def test_a_ciphertext_that_was_touched_or_has_another_context(self):
        blob = kms.encrypt(
            KeyId=self.key['KeyId'], Plaintext=b'x', EncryptionContext={'a': 'b'}
        )['CiphertextBlob']
        touched = blob[:-1] + bytes([blob[-1] ^ 1])
        for ciphertext, context in ((touched, {'a': 'b'}), (blob, {'a': 'c'}), (blob, {})):
            with self.assertRaises(kms.exceptions.InvalidCiphertextException) as raised:
                kms.decrypt(CiphertextBlob=ciphertext, EncryptionContext=context)
            self.assertEqual(raised.exception.response['Error']['Message'], '')

    def test_a_ciphertext_of_another_key(self):
        other = kms.create_key()['KeyMetadata']['KeyId']
        blob = kms.encrypt(KeyId=self.key['KeyId'], Plaintext=b'x')['CiphertextBlob']
        with self.assertRaises(kms.exceptions.IncorrectKeyException):
            kms.decrypt(CiphertextBlob=blob, KeyId=other)

    def test_aliases_taken_and_names_out_of_pattern(self):
        kms.create_alias(AliasName='alias/errors', TargetKeyId=self.key['KeyId'])
        with self.assertRaises(kms.exceptions.AlreadyExistsException):
            kms.create_alias(AliasName='alias/errors', TargetKeyId=self.key['KeyId'])
        with self.assertRaises(ClientError) as raised:
            kms.create_alias(AliasName='alias/no spaces', TargetKeyId=self.key['KeyId'])
        self.assertEqual(code_of(raised), 'ValidationException')

    def test_a_policy_of_nobody(self):
        policy = {
            'Version': '2012-10-17',
            'Statement': {
                'Effect': 'Allow',
                'Principal': {'AWS': 'arn:aws:iam::111122223333:role/nobody'},
                'Action': 'kms:*',
                'Resource': '*',
            },
        }
        with self.assertRaises(kms.exceptions.MalformedPolicyDocumentException):
            kms.put_key_policy(KeyId=self.key['KeyId'], Policy=json.dumps(policy))

    def test_a_dry_run_that_would_have_succeeded(self):
        with self.assertRaises(kms.exceptions.DryRunOperationException):
            kms.encrypt(KeyId=self.key['KeyId'], Plaintext=b'x', DryRun=True)

    def test_unmodeled_errors_have_their_code(self):
        unchecked = boto3.client('kms', config=Config(parameter_validation=False))
        with self.assertRaises(ClientError) as raised:
            unchecked.generate_random(NumberOfBytes=0)
        self.assertEqual(code_of(raised), 'ValidationException')
        stranger = boto3.client('kms', aws_access_key_id='NOBODY', aws_secret_access_key='12345678')
        with self.assertRaises(ClientError) as raised:
            stranger.list_keys()
        self.assertEqual(code_of(raised), 'UnrecognizedClientException')
        with self.assertRaises(ClientError) as raised:
            kms.describe_key(KeyId=self.key['Arn'].replace('111122223333', '444455556666'))
        self.assertEqual(code_of(raised), 'AccessDeniedException')


if __name__ == '__main__':
    unittest.main()
