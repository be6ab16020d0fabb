"""The pages of the app, one file each; what they share lies beside this folder."""
