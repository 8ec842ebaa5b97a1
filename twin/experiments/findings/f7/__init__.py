"""Finding 7: personalisation of chatbots over half a year."""
