"""A clock that is wrong is an error, in both directions: boto3 does not mend it by itself."""

import datetime
import unittest
from unittest import mock

import boto3
from botocore import auth
from botocore.exceptions import ClientError

kms = boto3.client('kms')
honest = auth.get_current_datetime


def list_keys_at(minutes):
    shifted = lambda *args, **kwargs: honest(*args, **kwargs) + datetime.timedelta(minutes=minutes)
    with mock.patch.object(auth, 'get_current_datetime', shifted):
        return kms.list_keys()


class SkewedClock(unittest.TestCase):
    def test_four_minutes_are_allowed_both_ways(self):
        for minutes in (-4, 0, 4):
            self.assertEqual(list_keys_at(minutes)['Keys'], [])

    def test_six_minutes_are_refused_both_ways(self):
        for minutes, text in ((-6, 'Signature expired: '), (6, 'Signature not yet current: ')):
            with self.assertRaises(ClientError) as raised:
                list_keys_at(minutes)
            error = raised.exception.response['Error']
            self.assertEqual(error['Code'], 'InvalidSignatureException')
            self.assertTrue(error['Message'].startswith(text), error['Message'])

    def test_the_client_is_no_wiser_after_a_refusal(self):
        for _ in range(2):
            with self.assertRaises(ClientError):
                list_keys_at(-30)
        self.assertEqual(kms.list_keys()['Keys'], [])


if __name__ == '__main__':
    unittest.main()
