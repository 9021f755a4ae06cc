"""The S3 Encryption Client for Python: its data keys come from KMS, its objects go to an S3 within reach."""

import logging
import unittest
import uuid

import boto3
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.exceptions import S3EncryptionClientError
from s3_encryption.materials.kms_keyring import KmsKeyring

# A line for each request of S3 is no part of what the tests say.
logging.getLogger("werkzeug").setLevel(logging.ERROR)

PLAINTEXT = b"a row of a table\n" * 100_000


class EncryptedObjects(unittest.TestCase):
    def setUp(self):
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        self.addCleanup(server.stop)
        self.endpoint = "http://{}:{}".format(*server.get_host_and_port())
        # Every S3 of one process holds the same buckets.
        self.bucket = str(uuid.uuid4())
        self.s3 = self.plain_s3()
        region = self.s3.meta.region_name
        self.s3.create_bucket(
            Bucket=self.bucket,
            CreateBucketConfiguration={"LocationConstraint": region},
        )
        self.kms = boto3.client("kms")
        self.addCleanup(self.kms.close)
        self.key = self.kms.create_key()["KeyMetadata"]["Arn"]

    def plain_s3(self):
        """KMS is where the environment says; only S3 is elsewhere."""
        client = boto3.client("s3", endpoint_url=self.endpoint)
        self.addCleanup(client.close)
        return client

    def encrypting(self, key):
        """The encrypting client changes the plain one that it is given, which is therefore its own."""
        keyring = KmsKeyring(kms_client=self.kms, kms_key_id=key)
        return S3EncryptionClient(self.plain_s3(), S3EncryptionClientConfig(keyring=keyring))

    def seal(self, key, body=PLAINTEXT, **given):
        self.encrypting(key).put_object(Bucket=self.bucket, Key="table", Body=body, **given)

    def opened(self, **given):
        client = self.encrypting(self.key)
        return client.get_object(Bucket=self.bucket, Key="table", **given)["Body"].read()

    def refused(self, words, call):
        with self.assertRaises((S3EncryptionClientError, ClientError)) as caught:
            call()
        self.assertRegex(str(caught.exception), words)

    def test_an_object_is_sealed_in_the_bucket_and_opens(self):
        self.seal(self.key)
        stored = self.s3.get_object(Bucket=self.bucket, Key="table")["Body"].read()
        self.assertFalse(PLAINTEXT[:17] in stored)
        self.assertGreater(len(stored), len(PLAINTEXT))
        self.assertTrue(PLAINTEXT == self.opened())

    def test_an_object_opens_under_its_encryption_context_and_no_other(self):
        right, wrong = {"team": "blue"}, {"team": "grey"}
        self.seal(self.key, EncryptionContext=right)
        self.assertTrue(PLAINTEXT == self.opened(EncryptionContext=right))
        self.refused(
            "encryption context does not match",
            lambda: self.opened(EncryptionContext=wrong),
        )
        # Whoever can write the bucket can change what the client compares with, but not what KMS does.
        stored = self.s3.get_object(Bucket=self.bucket, Key="table")
        metadata = {
            name: value.replace("blue", "grey") for name, value in stored["Metadata"].items()
        }
        self.assertNotEqual(stored["Metadata"], metadata)
        body = stored["Body"].read()
        self.s3.put_object(Bucket=self.bucket, Key="table", Body=body, Metadata=metadata)
        self.refused(
            "InvalidCiphertextException", lambda: self.opened(EncryptionContext=wrong)
        )

    def test_a_disabled_key_neither_seals_nor_opens(self):
        self.seal(self.key)
        before = self.s3.head_object(Bucket=self.bucket, Key="table")["ETag"]
        self.kms.disable_key(KeyId=self.key)
        words = rf"DisabledException.*{self.key} is disabled"
        self.refused(words, self.opened)
        self.refused(words, lambda: self.seal(self.key, b"other"))
        after = self.s3.head_object(Bucket=self.bucket, Key="table")["ETag"]
        self.assertEqual(before, after)

    def test_an_object_sealed_under_another_key_does_not_open(self):
        self.seal(self.kms.create_key()["KeyMetadata"]["Arn"])
        self.refused("IncorrectKeyException", self.opened)


if __name__ == "__main__":
    unittest.main()
