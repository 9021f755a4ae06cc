"""What boto3 makes of Trent's values: bytes, datetimes, numbers, and text of every script."""

import datetime
import os
import unittest

import boto3

kms = boto3.client('kms')


class Values(unittest.TestCase):
    def setUp(self):
        self.key = kms.create_key(Description='Schlüssel 鍵 🔑')['KeyMetadata']

    def test_every_byte_comes_back(self):
        for plaintext in (b'\x00', bytes(range(256)) * 16):
            sealed = kms.encrypt(KeyId=self.key['Arn'], Plaintext=plaintext)
            self.assertIsInstance(sealed['CiphertextBlob'], bytes)
            self.assertEqual(sealed['KeyId'], self.key['Arn'])
            opened = kms.decrypt(CiphertextBlob=sealed['CiphertextBlob'])
            self.assertEqual(opened['Plaintext'], plaintext)
            self.assertEqual(opened['EncryptionAlgorithm'], 'SYMMETRIC_DEFAULT')

    def test_data_keys_move_to_another_key(self):
        context = {'Größe': '大きい', 'empty': ''}
        data_key = kms.generate_data_key(
            KeyId=self.key['KeyId'], NumberOfBytes=1024, EncryptionContext=context
        )
        self.assertEqual(len(data_key['Plaintext']), 1024)
        other = kms.create_key()['KeyMetadata']['Arn']
        moved = kms.re_encrypt(
            CiphertextBlob=data_key['CiphertextBlob'],
            SourceEncryptionContext=context,
            DestinationKeyId=other,
        )
        self.assertEqual((moved['SourceKeyId'], moved['KeyId']), (self.key['Arn'], other))
        opened = kms.decrypt(CiphertextBlob=moved['CiphertextBlob'], KeyId=other)
        self.assertEqual(opened['Plaintext'], data_key['Plaintext'])

    def test_random_bytes(self):
        first, second = (kms.generate_random(NumberOfBytes=1024)['Plaintext'] for _ in range(2))
        self.assertEqual((len(first), len(second)), (1024, 1024))
        self.assertNotEqual(first, second)

    def test_dates_are_datetimes_with_a_zone(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        created = self.key['CreationDate']
        self.assertIsNotNone(created.tzinfo)
        self.assertLess(abs(now - created), datetime.timedelta(minutes=5))
        scheduled = kms.schedule_key_deletion(KeyId=self.key['KeyId'], PendingWindowInDays=7)
        window = scheduled['DeletionDate'] - created
        self.assertGreater(window, datetime.timedelta(days=6))
        self.assertLess(window, datetime.timedelta(days=8))
        described = kms.describe_key(KeyId=self.key['KeyId'])['KeyMetadata']
        self.assertEqual(described['DeletionDate'], scheduled['DeletionDate'])
        self.assertEqual(described['CreationDate'], created)

    def test_text_of_every_script(self):
        described = kms.describe_key(KeyId=self.key['KeyId'])['KeyMetadata']
        self.assertEqual(described['Description'], 'Schlüssel 鍵 🔑')
        self.assertIs(described['Enabled'], True)
        self.assertIs(described['MultiRegion'], False)
        tags = [{'TagKey': 'équipe', 'TagValue': 'naïve'}]
        kms.tag_resource(KeyId=self.key['KeyId'], Tags=tags)
        self.assertEqual(kms.list_resource_tags(KeyId=self.key['KeyId'])['Tags'], tags)

    def test_regions_are_apart(self):
        elsewhere = boto3.client('kms', region_name='eu-central-1')
        with self.assertRaises(elsewhere.exceptions.NotFoundException):
            elsewhere.describe_key(KeyId=self.key['KeyId'])
        there = elsewhere.create_key()['KeyMetadata']
        self.assertRegex(there['Arn'], '^arn:aws:kms:eu-central-1:111122223333:key/')

    def test_an_empty_answer_is_no_more_than_its_metadata(self):
        self.assertEqual(list(kms.disable_key(KeyId=self.key['KeyId'])), ['ResponseMetadata'])

    def test_the_environment_alone_found_the_server(self):
        self.assertEqual(kms.meta.endpoint_url, os.environ['AWS_ENDPOINT_URL'])


if __name__ == '__main__':
    unittest.main()
