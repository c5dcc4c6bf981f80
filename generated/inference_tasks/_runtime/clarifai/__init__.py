"""The protocol of Clarifai's API, as client and server share it: several inputs a call, a status for each."""
