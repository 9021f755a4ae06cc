"""Grants, as boto3 drives them."""

import unittest

import boto3

kms = boto3.client('kms')
ROOT = boto3.client('sts').get_caller_identity()['Arn']


class Grants(unittest.TestCase):
    def test_made_listed_retired_and_revoked(self):
        key = kms.create_key()['KeyMetadata']['KeyId']
        made = [
            kms.create_grant(
                KeyId=key,
                GranteePrincipal=ROOT,
                RetiringPrincipal=ROOT,
                Operations=['Encrypt', 'Decrypt'],
                Constraints={'EncryptionContextSubset': {'purpose': f'p{count}'}},
                Name=f'grant-{count}',
            )
            for count in range(5)
        ]
        pages = kms.get_paginator('list_grants').paginate(
            KeyId=key, PaginationConfig={'PageSize': 2}
        )
        grants = [grant for page in pages for grant in page['Grants']]
        self.assertEqual(
            sorted(grant['GrantId'] for grant in grants), sorted(one['GrantId'] for one in made)
        )
        self.assertEqual(
            sorted(grant['Constraints']['EncryptionContextSubset']['purpose'] for grant in grants),
            ['p0', 'p1', 'p2', 'p3', 'p4'],
        )
        retirable = list(
            kms.get_paginator('list_retirable_grants').paginate(
                RetiringPrincipal=ROOT, PaginationConfig={'PageSize': 2}
            )
        )
        self.assertEqual([len(page['Grants']) for page in retirable], [2, 2, 1])
        self.assertEqual(
            sorted(one['GrantId'] for page in retirable for one in page['Grants']),
            sorted(one['GrantId'] for one in made),
        )
        same = kms.create_grant(
            KeyId=key,
            GranteePrincipal=ROOT,
            RetiringPrincipal=ROOT,
            Operations=['Encrypt', 'Decrypt'],
            Constraints={'EncryptionContextSubset': {'purpose': 'p0'}},
            Name='grant-0',
        )
        self.assertEqual(same['GrantId'], made[0]['GrantId'])
        blob = kms.encrypt(
            KeyId=key,
            Plaintext=b'x',
            EncryptionContext={'purpose': 'p0'},
            GrantTokens=[made[0]['GrantToken']],
        )['CiphertextBlob']
        self.assertTrue(blob)
        kms.retire_grant(GrantToken=made[0]['GrantToken'])
        with self.assertRaises(kms.exceptions.InvalidGrantTokenException):
            kms.encrypt(KeyId=key, Plaintext=b'x', GrantTokens=[made[0]['GrantToken']])
        for one in made[1:]:
            kms.revoke_grant(KeyId=key, GrantId=one['GrantId'])
        self.assertEqual(kms.list_grants(KeyId=key)['Grants'], [])
        with self.assertRaises(kms.exceptions.NotFoundException):
            kms.revoke_grant(KeyId=key, GrantId=made[1]['GrantId'])


if __name__ == '__main__':
    unittest.main()
