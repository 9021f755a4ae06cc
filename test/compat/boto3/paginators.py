"""boto3's paginators over more than one page of each list, in order and without repeats."""

import time
import unittest

import boto3

kms = boto3.client('kms')


def pages(operation, size, **arguments):
    paginator = kms.get_paginator(operation)
    return list(paginator.paginate(PaginationConfig={'PageSize': size}, **arguments))


class Paginators(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keys = [kms.create_key()['KeyMetadata']['KeyId'] for _ in range(5)]

    def test_list_keys(self):
        found = pages('list_keys', 2)
        self.assertEqual([len(page['Keys']) for page in found], [2, 2, 1])
        self.assertEqual([page['Truncated'] for page in found], [True, True, False])
        self.assertNotIn('NextMarker', found[-1])
        ids = [key['KeyId'] for page in found for key in page['Keys']]
        self.assertCountEqual(ids, self.keys)

    def test_list_keys_resumes_from_a_token(self):
        paginator = kms.get_paginator('list_keys')
        first = paginator.paginate(PaginationConfig={'PageSize': 2, 'MaxItems': 3})
        head = first.build_full_result()
        tail = paginator.paginate(
            PaginationConfig={'PageSize': 2, 'StartingToken': head['NextToken']}
        ).build_full_result()
        self.assertEqual(len(head['Keys']), 3)
        self.assertCountEqual([key['KeyId'] for key in head['Keys'] + tail['Keys']], self.keys)

    def test_list_aliases(self):
        names = [f'alias/page-{number}' for number in range(5)]
        for name in names:
            kms.create_alias(AliasName=name, TargetKeyId=self.keys[0])
        of_all = pages('list_aliases', 2)
        of_key = pages('list_aliases', 2, KeyId=self.keys[0])
        self.assertGreater(len(of_key), 2)
        for found in (of_all, of_key):
            listed = [a['AliasName'] for page in found for a in page['Aliases']]
            # Those of AWS's services are there before any key of theirs is.
            own = [name for name in listed if not name.startswith('alias/aws/')]
            self.assertEqual(own, names)
            self.assertEqual(listed, sorted(set(listed)))

    def test_list_resource_tags(self):
        tags = [{'TagKey': f'key-{number}', 'TagValue': str(number)} for number in range(5)]
        kms.tag_resource(KeyId=self.keys[1], Tags=tags)
        found = pages('list_resource_tags', 2, KeyId=self.keys[1])
        self.assertEqual([len(page['Tags']) for page in found], [2, 2, 1])
        self.assertCountEqual([tag for page in found for tag in page['Tags']], tags)

    def test_list_key_policies_has_one_name_whatever_the_page(self):
        found = pages('list_key_policies', 1, KeyId=self.keys[2])
        self.assertEqual([page['PolicyNames'] for page in found], [['default']])
        self.assertFalse(found[0]['Truncated'])

    def test_a_marker_is_good_for_its_own_list_only(self):
        marker = kms.list_keys(Limit=1)['NextMarker']
        with self.assertRaises(kms.exceptions.InvalidMarkerException):
            kms.list_resource_tags(KeyId=self.keys[0], Marker=marker)


class Rotations(unittest.TestCase):
    """Runs after the above, which knows how many keys there are."""

    def test_list_key_rotations(self):
        key = kms.create_key()['KeyMetadata']['KeyId']
        for _ in range(3):
            kms.rotate_key_on_demand(KeyId=key)
            while 'OnDemandRotationStartDate' in kms.get_key_rotation_status(KeyId=key):
                time.sleep(0.05)
        rotations = pages('list_key_rotations', 2, KeyId=key)
        self.assertEqual([len(page['Rotations']) for page in rotations], [2, 1])
        found = pages('list_key_rotations', 3, KeyId=key, IncludeKeyMaterial='ALL_KEY_MATERIAL')
        self.assertEqual([len(page['Rotations']) for page in found], [3, 1])
        materials = [one['KeyMaterialId'] for page in found for one in page['Rotations']]
        self.assertEqual(len(set(materials)), 4)

    def test_a_new_imported_key_has_a_page_with_nothing(self):
        key = kms.create_key(Origin='EXTERNAL')['KeyMetadata']['KeyId']
        found = pages('list_key_rotations', 1, KeyId=key, IncludeKeyMaterial='ALL_KEY_MATERIAL')
        self.assertEqual([page['Rotations'] for page in found], [[]])


if __name__ == '__main__':
    unittest.main()
